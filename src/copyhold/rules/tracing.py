"""Who may agree to a finding, and when a finding is held."""

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
