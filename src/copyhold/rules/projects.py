"""What a project may ask for, and who decides on it."""

from copyhold.domain.accounts import Sight, Standing
from copyhold.domain.catalogue import Dictionary, Role
from copyhold.domain.errors import InvalidInputError
from copyhold.domain.parties import CUSTODIAN_ROLES, PersonId
from copyhold.domain.parties import Role as PersonRole
from copyhold.domain.projects import MOVES, Project, State
from copyhold.domain.purposes import Match
from copyhold.domain.verdicts import Reason, Verdict

LARGEST_SHIFT = 366  # days; larger ones move a participant into another year of follow-up


def sight(standing: Standing) -> Sight:
    """What somebody may see of projects and their copies: staff and auditors all, others their own.

    A signing official also sees what their institution answers for.
    """
    everything = any(role in (*CUSTODIAN_ROLES, PersonRole.AUDITOR) for role in standing.roles)
    signs = PersonRole.INSTITUTION_OFFICIAL in standing.roles
    return Sight(everything, standing.person, standing.institution if signs else None)


def fields(asked: tuple[str, ...], dictionary: Dictionary) -> tuple[str, ...]:
    """Read the fields asked for, each once: they must be the dataset's, and not identify directly."""
    releasable = offered(dictionary)
    wanted = tuple(dict.fromkeys(name.strip() for name in asked if name.strip()))
    for name in wanted:
        if name not in releasable:
            raise InvalidInputError(
                f"The dataset has no field {name[:60]!r} that may be released; `dataset show` lists its fields."
            )
    return wanted


def offered(dictionary: Dictionary) -> tuple[str, ...]:
    """The fields that may be released at all: direct identifiers never are."""
    return tuple(dict.fromkeys(field.name for field in dictionary.fields if field.role is not Role.DIRECT))


def shift(days: int | None) -> int | None:
    """Check the largest date shift that a project accepts."""
    if days is not None and not 1 <= days <= LARGEST_SHIFT:
        raise InvalidInputError(f"Dates are shifted by at most 1 to {LARGEST_SHIFT} days.")
    return days


def may_decide(project: Project, person: PersonId, state: State, *, four_eyes: bool) -> Verdict:
    """Say whether this person may decide on an application now."""
    reasons = []
    if state not in MOVES[project.state]:
        reason = f"The project is {project.state.value} and cannot become {state.value}."
        reasons.append(Reason("PROJECT_STATE", reason, "Look at it with `project list`."))
    if four_eyes and person in (project.applied_by, project.lead):
        reason = "Whoever applied for a project, or leads it, does not decide on it."
        reasons.append(Reason("SAME_PERSON", reason, "Have another custodian decide."))
    return Verdict(tuple(reasons))


def may_approve(match: Match) -> Verdict:
    """Say whether the dataset's terms leave room for approval: denial does not; review is what approval decides."""
    return Verdict(match.denials)
