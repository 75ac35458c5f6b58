"""Who may do what: what is not granted is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copyhold.domain.accounts import Standing
from copyhold.domain.errors import InvalidInputError
from copyhold.domain.parties import PersonId, Role, roles
from copyhold.rules.permissions import EVERYBODY, PERMISSIONS, SIGNED_IN, TAKING_PART, may

SOMEBODY = PersonId("per_" + "0" * 26)


@given(st.text())
def test_what_is_not_in_the_table_is_allowed_to_nobody(permission: str) -> None:
    if permission not in PERMISSIONS:
        assert not may(permission, Standing(SOMEBODY, tuple(Role)))


@pytest.mark.parametrize("permission", PERMISSIONS)
def test_each_permission_is_given_to_its_roles_alone(permission: str) -> None:
    granted = PERMISSIONS[permission]
    for role in Role:
        everybody = granted in (EVERYBODY, SIGNED_IN) or (granted == TAKING_PART and role is not Role.AUDITOR)
        wanted = everybody or (isinstance(granted, tuple) and role in granted)
        assert bool(may(permission, Standing(SOMEBODY, (role,)))) is wanted
        assert bool(may(permission, Standing(SOMEBODY, (role,), suspended=True))) is (granted == EVERYBODY)
    assert bool(may(permission, Standing())) is (granted == EVERYBODY)


def test_a_refusal_says_whom_to_ask() -> None:
    reason = may("release:approve", Standing(SOMEBODY, (Role.RESEARCHER,))).reasons[0]
    assert (reason.code, reason.fix) == ("NO_PERMISSION", "Ask somebody who is custodian or release officer.")


def test_roles_are_read_as_people_write_them() -> None:
    assert roles(("Data-Steward", "auditor", "auditor")) == (Role.DATA_STEWARD, Role.AUDITOR)
    with pytest.raises(InvalidInputError, match="researcher"):
        roles(("king",))
