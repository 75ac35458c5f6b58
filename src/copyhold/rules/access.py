"""The gate: the five clocks and what the scope holds, as one answer with every reason at once.

The answer is computed from evidence each time, never from a flag, so it can be given for any past instant.
"""

from datetime import datetime

from copyhold.domain.access import Access, Clock, Evidence, Hand, Situation
from copyhold.domain.accounts import Standing
from copyhold.domain.agreements.contracts import Use
from copyhold.domain.clocks import Effect
from copyhold.domain.incidents import Reach, Suspension
from copyhold.domain.parties import CUSTODIAN_ROLES, PersonId, Role
from copyhold.domain.projects import Project, State
from copyhold.domain.purposes import Circumstances, Match
from copyhold.domain.verdicts import Reason, Verdict
from copyhold.rules import clocks, purposes
from copyhold.rules.agreements import contracts, transfers
from copyhold.rules.projects import offered

# For each clock: the code of its refusal, what is said where nothing or nothing in force is there, and what mends it.
CLOCKS: dict[Clock, tuple[str, str, str]] = {
    Clock.ETHICS: ("ETHICS_EXPIRED", "ethics approval of the project", "record ethics PROJECT --until DATE"),
    Clock.AGREEMENT: (
        "CONTRACT_NOT_IN_FORCE",
        "signed agreement of the project or institution",
        "record agreement PROJECT --until DATE",
    ),
    Clock.SCOPE: (
        "REVERIFICATION_OVERDUE",
        "verification of the project's scope",
        "record scope PROJECT --until DATE",
    ),
    Clock.TRAINING: ("TRAINING_EXPIRED", "training of the person", "record training EMAIL --until DATE"),
    Clock.AFFILIATION: (
        "AFFILIATION_STALE",
        "verification of the person's affiliation",
        "record affiliation EMAIL --until DATE",
    ),
}


def may_take(situation: Situation) -> Access:
    """Answer whether the person may take what the project's scope holds, at the instant of the situation."""
    hands = tuple(_hand(clock, situation) for clock in Clock)
    reasons = (
        *(_stop(one) for one in situation.suspensions),
        *_project(situation),
        *_named(situation),
        *(_lapsed(hand) for hand in hands if not hand.green),
        *clocks.stopped(situation.tasks, Effect.SUSPEND, situation.at),
        *_contract(situation),
        *_border(situation),
        *match(situation).denials,
        *_scope(situation),
    )
    verdict = Verdict(tuple(dict.fromkeys(reasons)))
    blocked = Verdict(clocks.stopped(situation.tasks, Effect.BLOCK_NEW, situation.at))
    return Access(
        person=situation.person.id,
        project=situation.project.id,
        at=situation.at,
        verdict=verdict,
        beginning=verdict.and_also(blocked),
        hands=hands,
        valid_until=_valid_until(situation, hands) if verdict else None,
    )


def _valid_until(situation: Situation, hands: tuple[Hand, ...]) -> datetime:
    """The first instant at which a clock, a task or the project's end turns yes into no."""
    ends = [hand.until for hand in hands if hand.until]
    stop = clocks.next_stop(situation.tasks, situation.at)
    return min([*ends, situation.project.until, *([stop] if stop else [])])


def match(situation: Situation, *, ethics: bool | None = None) -> Match:
    """Hold the project's purpose against the dataset's terms; `ethics` where it is not to be asked of the clock."""
    home = situation.institution
    green = _hand(Clock.ETHICS, situation).green if ethics is None else ethics
    circumstances = Circumstances(
        at=situation.at,
        started_at=situation.project.decided_at or situation.at,
        institution=home.ror if home else None,
        institution_country=home.country if home else None,
        processing_country=home.country if home else None,  # a copy is kept at its holder's institution
        project=situation.project.name,
        person=situation.person.email,
        ethics=green,
    )
    terms = () if situation.version is None else situation.version.terms
    return purposes.match(terms, situation.project.purpose, circumstances)


def may_ask(standing: Standing, person: PersonId) -> bool:
    """Say whether somebody may ask about this person: oneself, or as staff or auditor."""
    return standing.person == person or any(role in (*CUSTODIAN_ROLES, Role.AUDITOR) for role in standing.roles)


def _hand(clock: Clock, situation: Situation) -> Hand:
    if clock is Clock.AGREEMENT and (governing := contracts.governing(situation.agreements, situation.at)):
        return Hand(clock, None, True, governing)
    evidence = _evidence(clock, situation)
    green = evidence is not None and evidence.from_at <= situation.at < evidence.until
    return Hand(clock, evidence, green)


def _evidence(clock: Clock, situation: Situation) -> Evidence | None:
    """The evidence that counts: for the agreement the project's own where it has one, else its institution's."""
    found = {one.subject: one for one in situation.evidence if one.clock is clock}
    subjects = (situation.project.id, situation.person.id, situation.institution and situation.institution.id)
    return next((found[subject] for subject in subjects if subject in found), None)


def _lapsed(hand: Hand) -> Reason:
    code, what, fix = CLOCKS[hand.clock]
    if hand.evidence is None:
        told = f"No {what} is on record."
    else:
        told = f"The {what} was in force until {hand.evidence.until:%Y-%m-%d} and is not now."
    return Reason(code, told, f"Record it with `{fix}`.")


def _contract(situation: Situation) -> tuple[Reason, ...]:
    """What the agreement that governs the use, where there is one, does not allow."""
    governing = contracts.governing(situation.agreements, situation.at)
    return contracts.may_use(governing, _use(situation)).reasons if governing else ()


def _border(situation: Situation) -> tuple[Reason, ...]:
    """Whether data may pass to where they would be kept; a custody that named no country is not asked."""
    if situation.institution is None or not situation.exporter:
        return ()
    return transfers.may_transfer(situation.exporter, situation.institution, situation.routes, situation.at).reasons


def _use(situation: Situation) -> Use:
    home, at = situation.institution, situation.at
    training = _evidence(Clock.TRAINING, situation)
    there = [one for one in situation.documents if one.from_at <= at < one.until]
    return Use(
        at=at,
        purposes=situation.project.purpose.terms,
        fields=situation.project.fields,
        country=home.country if home else None,
        ror=home.ror if home else "",
        named=situation.named,
        trained_at=training.from_at if training else None,
        documents=tuple(one.kind.value for one in there),
    )


def _stop(suspension: Suspension) -> Reason:
    code = "PERSON_SUSPENDED" if suspension.reach is Reach.PERSON else "FREEZE"
    since = f"{suspension.imposed_at:%Y-%m-%d}"
    reason = f"The {suspension.reach.value} is suspended since {since}."
    return Reason(code, reason, "The custodian reinstates it once the matter is settled.")


def _project(situation: Situation) -> list[Reason]:
    """Whether the project is approved and running, or was at the instant, whatever became of it later."""
    project, at = situation.project, situation.at
    if project.decided_at is None or at < project.decided_at or not _was_approved(project):
        return [_inactive("The project is not approved.", "Have the application decided with `project approve`.")]
    if project.closed_at is not None and (situation.live or at >= project.closed_at):
        return [_inactive("The project is closed.", "Apply for a new project.")]
    if at >= project.until:
        return [_inactive(f"The project ended on {project.until:%Y-%m-%d}.", "Apply for a renewal.")]
    return []


def _was_approved(project: Project) -> bool:
    return project.state in (State.APPROVED, State.CLOSED)


def _inactive(reason: str, fix: str) -> Reason:
    return Reason("PROJECT_NOT_ACTIVE", reason, fix)


def _named(situation: Situation) -> list[Reason]:
    reasons = []
    if not situation.named:
        reasons.append(Reason("NOT_NAMED", "The person is not named in the project.", "Name the person as a member."))
    if situation.institution is None:
        reasons.append(
            Reason("NO_INSTITUTION", "The person belongs to no institution that signs for them.", "Record one.")
        )
    return reasons


def _scope(situation: Situation) -> list[Reason]:
    """What the scope holds must be what the dataset offers."""
    if situation.version is None:
        return [Reason("NO_VERSION", "The dataset has no version yet.", "Add one with `dataset add`.")]
    there = offered(situation.version.dictionary)
    missing = [name for name in situation.project.fields or () if name not in there]
    if not missing:
        return []
    reason = f"The scope holds {len(missing)} field(s) that the dataset does not offer (first: {missing[0]})."
    return [Reason("FIELDS_NOT_APPROVED", reason, "Apply anew with fields that the dataset has.")]
