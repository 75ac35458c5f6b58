"""The switch: suspend a person, an institution, a project or a country, and reinstate it.

Acts:
    suspend(occasion, reach, who, reason="") -> Suspension        incident:suspend      incident.suspended
    reinstate(occasion, reach, who, reason="") -> Suspension      incident:reinstate    incident.reinstated
Readings:
    preview(occasion, reach, who) -> Preview                      incident:preview      what stops, what cannot
    in_force(occasion) -> tuple[Suspension, ...]                  incident:in_force

`reach` is person | institution | project | country; `who` an e-mail address, a name, or two letters. A suspension moves
one thing, itself: nothing is flagged elsewhere. The gate asks for it at every decision, so nothing grants access again
behind its back, and lifting it gives back what evidence still allows.
"""

from copyhold.actions.act import Act, Reader, action, reading
from copyhold.domain import incidents as words
from copyhold.domain.errors import ConflictError
from copyhold.domain.incidents import Preview, Reach, Suspension, SuspensionId
from copyhold.domain.releases import OUTSIDE, PENDING
from copyhold.domain.words import country, prose
from copyhold.records import custody, incidents, parties, projects
from copyhold.rules.incidents import may_suspend
from copyhold.rules.projects import sight


@action("incident:suspend", "incident.suspended")
def suspend(act: Act, reach: str, who: str, reason: str = "") -> Suspension:
    """Suspend at once; it holds from the next decision on."""
    kind = words.reach(reach)
    target, _ = _target(act, kind, who)
    may_suspend(kind, target, custody.get()).require()
    if incidents.on(kind, target) is not None:
        raise ConflictError("This is suspended already; reinstate it first to suspend it anew.")
    told = prose(reason, "The reason")
    suspension = Suspension(act.new_id(SuspensionId), kind, target, told, act.person, act.at)
    incidents.suspend(suspension)
    act.enter(suspension.id, suspension)
    return suspension


@action("incident:reinstate", "incident.reinstated")
def reinstate(act: Act, reach: str, who: str, reason: str = "") -> Suspension:
    """Lift a suspension; what evidence allows now is allowed again."""
    kind = words.reach(reach)
    target, _ = _target(act, kind, who)
    suspension = incidents.on(kind, target)
    if suspension is None:
        raise ConflictError("This is not suspended; there is nothing to reinstate.")
    incidents.lift(suspension.id, act.person, act.at)
    act.enter(suspension.id, {"suspension": suspension, "reason": prose(reason, "The reason")})
    return incidents.suspension(suspension.id)


@reading("incident:preview")
def preview(reader: Reader, reach: str, who: str) -> Preview:
    """Say what a suspension would stop, and what it cannot; nothing is changed by it."""
    kind = words.reach(reach)
    target, name = _target(reader, kind, who)
    reached = incidents.projects_reached(kind, target, reader.at)
    people = incidents.people_reached(kind, target, reader.at)
    copies = incidents.releases_reached(kind, target)
    return Preview(
        reach=kind,
        target=target,
        name=name,
        suspended=incidents.on(kind, target) is not None,
        projects=reached,
        people=people,
        pending=tuple(copy.id for copy in copies if copy.state in PENDING),
        issued=tuple(copy.id for copy in copies if copy.state in OUTSIDE),
    )


@reading("incident:in_force")
def in_force(_reader: Reader) -> tuple[Suspension, ...]:
    """List the suspensions in force, oldest first."""
    return incidents.in_force()


def _target(reader: Reader, kind: Reach, who: str) -> tuple[str, str]:
    """Find what is meant: its id, or a country's letters; and the name to tell it by."""
    match kind:
        case Reach.PERSON:
            person = parties.person_called(who)
            return person.id, person.email
        case Reach.INSTITUTION:
            institution = parties.institution_called(who)
            return institution.id, institution.name
        case Reach.PROJECT:
            project = projects.project_called(who, sight(reader.standing))
            return project.id, project.name
        case Reach.COUNTRY:
            return country(who), country(who)
