"""Found a custody, and look at it.

Acts:
    found(occasion, name, operator_email, four_eyes=True, country="") -> Custody
                                                                          custody:found    custody.founded
Readings:
    show(occasion) -> Custody                                             custody:show
    status(occasion) -> Status                                            custody:status    counts, and what is due
"""

from datetime import timedelta

from copyhold.actions.act import Act, Reader, action, reading
from copyhold.domain import words
from copyhold.domain.accounts import Sight
from copyhold.domain.custody import Custody, CustodyId, Due, Policy, Status
from copyhold.domain.errors import ConflictError
from copyhold.domain.moments import start_of
from copyhold.domain.parties import Person, PersonId, Role
from copyhold.domain.releases import OUTSIDE, State
from copyhold.domain.words import email, text
from copyhold.records import access, catalogue, custody, incidents, log, parties, projects, releases, tracing

EVERYTHING = Sight(everything=True)
WARNING = timedelta(days=30)  # how long before a clock runs out it appears on the board


@action("custody:found", "custody.founded")
def found(act: Act, name: str, operator_email: str, four_eyes: bool = True, country: str = "") -> Custody:
    """Found the custody, with its operator as first custodian; once per database."""
    if custody.founded():
        raise ConflictError("This custody is founded already; use another folder for another custody.")
    operator = Person(act.new_id(PersonId), email(operator_email), None, (Role.CUSTODIAN,), act.at)
    new = Custody(
        id=act.new_id(CustodyId),
        name=text(name, "The name"),
        operator=operator.id,
        four_eyes=four_eyes,
        policy=Policy(),
        founded_at=act.at,
        country=words.country(country) if country else "",
    )
    parties.add_person(operator)
    custody.found(new)
    act.enter(new.id, {"custody": new, "operator": operator})
    return new


@reading("custody:show")
def show(_reader: Reader) -> Custody:
    """Show the custody: its name, operator, four eyes, policy."""
    return custody.get()


@reading("custody:status")
def status(reader: Reader) -> Status:
    """Show how much is in the custody, and what is due."""
    due = (*_waiting(), *_running_out(reader), *_withdrawals(reader))
    return Status(
        custody=custody.get(),
        entries=log.size(),
        datasets=len(catalogue.datasets()),
        projects=len(projects.projects(EVERYTHING)),
        people=len(parties.people()),
        copies_outside=sum(len(releases.in_state(state)) for state in OUTSIDE),
        keys_issued=releases.keys_issued(),
        attempts=tracing.attempts(),
        suspensions=len(incidents.in_force()),
        due=tuple(sorted(due, key=lambda one: (one.at is not None, one.at or reader.at))),
    )


def _waiting() -> list[Due]:
    """What waits for a person now."""
    awaited = releases.in_state(State.AWAITING_APPROVAL)
    told = [Due("release", copy.id, "A copy awaits approval by a second person.", None) for copy in awaited]
    held = [case for case in tracing.cases() if case.held]
    return told + [Due("case", case.id, "A finding awaits a second analyst.", None) for case in held]


def _running_out(reader: Reader) -> list[Due]:
    """Clocks that run out soon, or ran out lately."""
    soon = [one for one in access.newest() if abs(one.until - reader.at) <= WARNING]
    return [Due(one.clock.value, one.subject, f"The {one.clock.value} clock runs out.", one.until) for one in soon]


def _withdrawals(reader: Reader) -> list[Due]:
    """Withdrawals that copies out there must still follow."""
    counted = {one.dataset: len(releases.outside(one.dataset)) for one in catalogue.withdrawals()}
    return [
        Due("withdrawal", one.id, f"{counted[one.dataset]} copies are due to lose participants.", start_of(one.due_on))
        for one in catalogue.withdrawals()
        if counted[one.dataset]
    ]
