"""The five clocks: evidence recorded, and the answer of the gate at any instant.

Acts:
    record(occasion, clock, who, until, *, reference="", file_sha256="", since=None) -> Evidence
        clock: ethics | agreement | scope | training | affiliation; who: an e-mail address (training, affiliation), a
        project (ethics, scope, agreement) or an institution (agreement)       access:record     access.recorded
Readings:
    why(occasion, email, project, at=None) -> Access                           access:why
        the verdict with every reason, the five hands, and until when the answer holds by itself
"""

from datetime import datetime

from copyhold.actions.act import Act, Reader, action, reading
from copyhold.domain import access as words
from copyhold.domain.access import Access, Clock, Evidence, EvidenceId
from copyhold.domain.errors import NotFoundError
from copyhold.domain.moments import aware
from copyhold.domain.words import sha256, text
from copyhold.records import access, parties, projects
from copyhold.rules import access as rules
from copyhold.rules.projects import sight

OF_PEOPLE = (Clock.TRAINING, Clock.AFFILIATION)


@action("access:record", "access.recorded")
def record(
    act: Act,
    clock: str,
    who: str,
    until: datetime,
    *,
    reference: str = "",
    file_sha256: str = "",
    since: datetime | None = None,
) -> Evidence:
    """Record evidence for a clock; it takes the place of what was recorded before, also where it ends sooner."""
    kind = words.clock(clock)
    evidence = Evidence(
        id=act.new_id(EvidenceId),
        clock=kind,
        subject=_subject(act, kind, who),
        from_at=aware(since, "The start") if since else act.at,
        until=aware(until, "The end"),
        recorded_by=act.person,
        recorded_at=act.at,
        reference=text(reference, "The reference", least=0),
        file_sha256=sha256(file_sha256, "The file's hash") if file_sha256 else "",
    )
    access.record(evidence)
    act.enter(evidence.id, evidence, project=evidence.subject if evidence.subject.startswith("prj_") else "")
    return evidence


def _subject(act: Act, clock: Clock, who: str) -> str:
    """Find whom or what the evidence is for."""
    if clock in OF_PEOPLE:
        return parties.person_called(who).id
    try:
        return projects.project_called(who, sight(act.standing)).id
    except NotFoundError:
        if clock is not Clock.AGREEMENT:
            raise
    return parties.institution_called(who).id


@reading("access:why")
def why(reader: Reader, email: str, project: str, at: datetime | None = None) -> Access:
    """Answer whether a person could take a project's data at an instant, as it was known then, with every reason."""
    person = parties.person_called(email)
    if not rules.may_ask(reader.standing, person.id):
        raise NotFoundError("There is no person with this e-mail address; add them with `person add`.")
    asked = projects.project_called(project, sight(reader.standing))
    past = at is not None and aware(at, "The instant") <= reader.at
    return rules.may_take(access.situation(person, asked, at or reader.at, past=past))
