"""Tracing: attempts counted before they score, findings held for a second analyst, cases.

Readings:
    register(occasion) -> Register                            tracing:register      what reading a leak needs, no key
    show(occasion, case_id) -> Case                           tracing:show          `result` is None while it is held
    cases(occasion) -> tuple[Case, ...]                       tracing:cases         newest first, held answers hidden
Acts:
    open_attempt(occasion, leak_sha256, dataset) -> Attempt   tracing:open_attempt  tracing.attempt_opened
        before any scoring: number t, and R = all mark keys ever issued at this moment
    conclude(occasion, case_id, result) -> Case               tracing:conclude      tracing.attempt_concluded
    agree(occasion, case_id) -> Case                          tracing:agree         tracing.finding_agreed
    publish(occasion, case_id, note="") -> Case               tracing:publish       tracing.case_published
        its report or case file is public: from now on the cells in it are spent for the parties named

A leak that is unreadable, or of which no row aligns, is never scored: the door answers without an attempt.
"""

from dataclasses import replace

from copyhold.actions.act import Act, Reader, action, reading
from copyhold.domain.errors import ConflictError, InvalidInputError
from copyhold.domain.tracing import Attempt, Case, CaseId, Finding, Register, TraceResult, Withdrawn
from copyhold.domain.words import prose, sha256
from copyhold.records import catalogue, custody, releases, tracing
from copyhold.rules import tracing as rules

NEVER_CONCLUDED = (Finding.HELD,)


@reading("tracing:register")
def register(_reader: Reader) -> Register:
    """Give what reading a leak needs: datasets, retained versions, copies and withdrawals. No key is touched."""
    datasets = catalogue.datasets()
    keeping = custody.get()
    return Register(
        custody=keeping.id,
        datasets=datasets,
        versions=tuple(version for dataset in datasets for version in catalogue.versions(dataset.id)),
        copies=releases.held_copies(),
        withdrawn=tuple(
            Withdrawn(dataset.id, token, at)
            for dataset in datasets
            for token, at in catalogue.withdrawn_since(dataset.id)
        ),
        policy=keeping.policy,
    )


@action("tracing:open_attempt", "tracing.attempt_opened")
def open_attempt(act: Act, leak_sha256: str, dataset: str) -> Attempt:
    """Count an attempt before it scores, with the leak's hash and every key that could be named."""
    digest = sha256(leak_sha256, "The leak's hash")
    keys = releases.mark_keys()
    case = Case(
        id=act.new_id(CaseId),
        attempt=tracing.attempts() + 1,
        leak_sha256=digest,
        dataset=catalogue.dataset_called(dataset).id,
        keys_issued=len(keys),
        opened_by=act.person,
        opened_at=act.at,
        concluded_at=None,
        held=False,
        agreed_by=None,
        agreed_at=None,
        result=None,
    )
    tracing.open_case(case)
    facts = {"attempt": case.attempt, "leak_sha256": digest, "dataset": case.dataset, "keys": case.keys_issued}
    act.enter(case.id, {**facts, "mark_derivations": act.outside.keys.derivations("mark")})
    return Attempt(
        case=case.id,
        number=case.attempt,
        leak_sha256=digest,
        dataset=case.dataset,
        keys=keys,
        policy=custody.get().policy,
        opened_at=act.at,
        earlier=tracing.case_files(case.dataset, but=digest),
        published=tracing.published(case.dataset),
    )


@action("tracing:conclude", "tracing.attempt_concluded")
def conclude(act: Act, case_id: str, result: TraceResult) -> Case:
    """Record what an attempt found; with four eyes it is held until another person agrees."""
    case = tracing.case(case_id)
    if case.concluded_at is not None:
        raise ConflictError("This attempt is concluded already; trace again for another attempt.")
    _check(result)
    held = rules.held(result.finding, four_eyes=custody.get().four_eyes)
    tracing.conclude(case.id, result, held=held, at=act.at)
    # The entry is of one form whatever was found, so that the log of a trace that names nobody depends on no key.
    derived = act.outside.keys.derivations("mark")
    act.enter(case.id, {"attempt": case.attempt, "held": held, "result": result, "mark_derivations": derived})
    return _as_told(tracing.case(case.id))


def _check(result: TraceResult) -> None:
    if result.finding in NEVER_CONCLUDED or bool(result.named) != (result.finding is Finding.NAMED):
        raise InvalidInputError("A finding names parties if it says so, and only then.")


@action("tracing:agree", "tracing.finding_agreed")
def agree(act: Act, case_id: str) -> Case:
    """Agree to a held finding, as another person than who ran the trace; from then on it is told."""
    case = tracing.case(case_id)
    rules.may_agree(case, act.person).require()
    tracing.agree(case.id, act.person, act.at)
    act.enter(case.id, {"attempt": case.attempt})
    return tracing.case(case.id)


@action("tracing:publish", "tracing.case_published")
def publish(act: Act, case_id: str, note: str = "") -> Case:
    """Enter that a case's report or case file was handed out or became public; what it told is no evidence any more."""
    case = tracing.case(case_id)
    rules.may_publish(case).require()
    tracing.publish(case.id, act.at)
    act.enter(case.id, {"attempt": case.attempt, "note": prose(note, "The note")})
    return tracing.case(case.id)


@reading("tracing:show")
def show(_reader: Reader, case_id: str) -> Case:
    """Show a case; a held answer is not shown."""
    return _as_told(tracing.case(case_id))


@reading("tracing:cases")
def cases(_reader: Reader) -> tuple[Case, ...]:
    """List the cases, newest first; held answers are not shown."""
    return tuple(_as_told(case) for case in tracing.cases())


def _as_told(case: Case) -> Case:
    """A held answer stays unseen by everybody, also by who ran the trace."""
    return replace(case, result=None) if case.held else case
