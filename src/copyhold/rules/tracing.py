"""Who may agree to a finding, when a finding is held, and which one can become public."""

from copyhold.domain.parties import PersonId
from copyhold.domain.tracing import Case, Finding
from copyhold.domain.verdicts import Reason, Verdict


def held(finding: Finding, *, four_eyes: bool) -> bool:
    """Say whether an answer waits for a second analyst: with four eyes, all that was scored, named or not.

    Were only names held, being held would itself say that somebody is named. A failed instrument names nobody and
    must be seen at once.
    """
    return four_eyes and finding is not Finding.INSTRUMENT_FAILED


def may_agree(case: Case, person: PersonId) -> Verdict:
    """Say whether this person may agree: the case waits for that, and another person ran the trace."""
    reasons = []
    if not case.held:
        reasons.append(Reason("CASE_NOT_HELD", "The case does not wait for a second analyst.", "Nothing to do."))
    if person == case.opened_by:
        reason = "Whoever ran a trace does not agree to its finding."
        reasons.append(Reason("SAME_PERSON", reason, "Have another analyst look at the case."))
    return Verdict(tuple(reasons))


def may_publish(case: Case) -> Verdict:
    """Say whether a case can be entered as public: it names somebody, is told, and was not entered so before.

    Of a held case nothing is said but that it is held: whether it names anybody is part of the answer.
    """
    if case.held:
        reason = "The case waits for a second analyst; nothing of it can have become public."
        return Verdict((Reason("CASE_HELD", reason, "Have another analyst agree first."),))
    if case.result is None or case.result.finding is not Finding.NAMED:
        reason = "The case names nobody, so nothing in it depends on a key and nothing is spent."
        return Verdict((Reason("NOBODY_NAMED", reason, "Nothing to do."),))
    if case.published_at is not None:
        reason = "The case is entered as public already; its cells are spent."
        return Verdict((Reason("PUBLISHED_ALREADY", reason, "Nothing to do."),))
    return Verdict()
