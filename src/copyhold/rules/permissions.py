"""Who may do what, as one table: permission to roles. What is not in the table is allowed to nobody.

A permission is `<noun>:<function>` of the action it guards. Conditions on the thing itself (not one's own request, only
one's own projects) are rules of its noun.
"""

from copyhold.domain.accounts import Standing
from copyhold.domain.parties import CUSTODIAN_ROLES, Role
from copyhold.domain.verdicts import Reason, Verdict

EVERYBODY = "everybody"  # before sign-in too
SIGNED_IN = "signed in"
TAKING_PART = "signed in, and more than an auditor"  # who may change something of their own: an auditor changes nothing

_STAFF = CUSTODIAN_ROLES
_READERS = (*_STAFF, Role.AUDITOR)
_ACCESS = (Role.CUSTODIAN, Role.ACCESS_OFFICER)
_GOVERNANCE = (Role.CUSTODIAN, Role.GOVERNANCE_OFFICER)
_DECIDERS = (Role.CUSTODIAN, Role.ACCESS_OFFICER, Role.COMMITTEE_CHAIR, Role.COMMITTEE_MEMBER)
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
    "agreement:documents": _READERS,
    "agreement:listing": SIGNED_IN,
    "agreement:offer": _ACCESS,
    "agreement:record_document": (Role.CUSTODIAN, Role.ACCESS_OFFICER, Role.GOVERNANCE_OFFICER),
    "agreement:record_route": _GOVERNANCE,
    "agreement:routes": _READERS,
    "agreement:show": SIGNED_IN,
    "agreement:sign": TAKING_PART,
    "agreement:terminate": (Role.CUSTODIAN, Role.ACCESS_OFFICER, Role.GOVERNANCE_OFFICER),
    "agreement:withdraw": _ACCESS,
    "catalogue:add_version": _STEWARDS,
    "catalogue:confirm": _STEWARDS,
    "catalogue:datasets": _READERS,
    "catalogue:next_version": _STEWARDS,
    "catalogue:show": _READERS,
    "catalogue:versions": _READERS,
    "catalogue:withdraw": _STEWARDS,
    "catalogue:withdrawals": _READERS,
    "clock:fulfil": TAKING_PART,
    "clock:mine": SIGNED_IN,
    "clock:overdue": _READERS,
    "clock:show": SIGNED_IN,
    "custody:found": EVERYBODY,
    "custody:show": EVERYBODY,
    "custody:status": _READERS,
    "incident:in_force": _READERS,
    "incident:preview": _SECURITY,
    "incident:reinstate": _SECURITY,
    "incident:suspend": _SECURITY,
    "log:about": _READERS,
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
    "project:add": _ACCESS,
    "project:add_member": _ACCESS,
    "project:approve": _DECIDERS,
    "project:close": _ACCESS,
    "project:listing": SIGNED_IN,
    "project:refuse": _DECIDERS,
    "project:remove_member": _ACCESS,
    "project:show": SIGNED_IN,
    "release:approve": _RELEASERS,
    "release:begin": _RELEASERS,
    "release:drop": _RELEASERS,
    "release:issue": _RELEASERS,
    "release:keep": _RELEASERS,
    "release:listing": SIGNED_IN,
    "release:order": _RELEASERS,
    "release:recall": (Role.CUSTODIAN, Role.RELEASE_OFFICER, Role.SECURITY_OFFICER),
    "release:record_destruction": _RELEASERS,
    "release:request": _RELEASERS,
    "release:show": SIGNED_IN,
    "release:under_way": _RELEASERS,
    "tracing:agree": _SECURITY,
    "tracing:cases": _SECURITY,
    "tracing:conclude": _SECURITY,
    "tracing:open_attempt": _SECURITY,
    "tracing:publish": _SECURITY,
    "tracing:register": _SECURITY,
    "tracing:show": _SECURITY,
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
    if _is_granted(granted, standing.roles):
        return Verdict()
    return _no("NO_PERMISSION", f"None of the roles held allows {permission}.", _whom_to_ask(granted))


def _is_granted(granted: tuple[Role, ...] | str, roles: tuple[Role, ...]) -> bool:
    if isinstance(granted, str):
        return granted == SIGNED_IN or set(roles) != {Role.AUDITOR}
    return any(role in granted for role in roles)


def _whom_to_ask(granted: tuple[Role, ...] | str) -> str:
    if not granted or isinstance(granted, str):
        return "Nobody may do this."
    return f"Ask somebody who is {' or '.join(role.value.replace('_', ' ') for role in granted)}."


def _no(code: str, reason: str, fix: str) -> Verdict:
    return Verdict((Reason(code, reason, fix),))
