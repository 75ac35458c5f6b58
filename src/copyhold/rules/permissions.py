"""Who may do what, as one table: permission to roles. What is not in the table is allowed to nobody.

A permission is `<noun>:<function>` of the action it guards. Conditions on the thing itself (not one's own request, only
one's own projects) are rules of its noun.
"""

from copyhold.domain.accounts import Standing
from copyhold.domain.parties import CUSTODIAN_ROLES, Role
from copyhold.domain.verdicts import Reason, Verdict

EVERYBODY = "everybody"  # before sign-in too
SIGNED_IN = "signed in"

_STAFF = CUSTODIAN_ROLES
_READERS = (*_STAFF, Role.AUDITOR)
_ACCESS = (Role.CUSTODIAN, Role.ACCESS_OFFICER)
_STEWARDS = (Role.CUSTODIAN, Role.DATA_STEWARD)
_RELEASERS = (Role.CUSTODIAN, Role.RELEASE_OFFICER)
_SECURITY = (Role.CUSTODIAN, Role.SECURITY_OFFICER)

# Alphabetical.
PERMISSIONS: dict[str, tuple[Role, ...] | str] = {
    "access:record": _ACCESS,
    "access:why": SIGNED_IN,
    "account:issue_token": (Role.CUSTODIAN, Role.ACCESS_OFFICER),
    "account:recognise": EVERYBODY,
    "account:revoke_token": (Role.CUSTODIAN, Role.ACCESS_OFFICER, Role.SECURITY_OFFICER),
    "account:tokens": _READERS,
    "custody:found": EVERYBODY,
    "custody:show": EVERYBODY,
    "log:checkpoint": EVERYBODY,
    "log:edge": EVERYBODY,
    "log:open_entry": _READERS,
    "log:rows": EVERYBODY,
    "log:sign": EVERYBODY,
    "log:size": EVERYBODY,
    "party:add_institution": _ACCESS,
    "party:add_person": _ACCESS,
    "party:institutions": _READERS,
    "party:people": _READERS,
}


def may(permission: str, standing: Standing) -> Verdict:
    """Say whether somebody of this standing may try this at all."""
    granted = PERMISSIONS.get(permission, ())
    if granted == EVERYBODY:
        return Verdict()
    if standing.person is None:
        return _no("NOT_SIGNED_IN", "Nobody is signed in.", "Name who acts.")
    if standing.suspended:
        return _no("PERSON_SUSPENDED", "Who acts is suspended.", "Ask the custodian for reinstatement.")
    if granted == SIGNED_IN or any(role in granted for role in standing.roles):
        return Verdict()
    return _no("NO_PERMISSION", f"None of the roles held allows {permission}.", _whom_to_ask(granted))


def _whom_to_ask(granted: tuple[Role, ...] | str) -> str:
    if not granted or isinstance(granted, str):
        return "Nobody may do this."
    return f"Ask somebody who is {' or '.join(role.value.replace('_', ' ') for role in granted)}."


def _no(code: str, reason: str, fix: str) -> Verdict:
    return Verdict((Reason(code, reason, fix),))
