"""When a copy may be asked for, approved, and issued."""

from copyhold.domain.catalogue import Control, Version
from copyhold.domain.custody import Policy
from copyhold.domain.parties import PersonId
from copyhold.domain.releases import MOVES, Release, ReleaseResult, State
from copyhold.domain.verdicts import Reason, Verdict
from copyhold.rules.catalogue import controls

SEALED_COPIES = False  # there are no sealed packages yet, so a copy that is not open is refused


def may_make(gate: Verdict, release: Release, version: Version, *, four_eyes: bool) -> Verdict:
    """Say whether this copy may be made: the gate, the confirmation of the version, and its tier's controls."""
    return gate.and_also(Verdict((*_confirmed(version, four_eyes), *_form(release, version))))


def may_approve(release: Release, person: PersonId, *, four_eyes: bool) -> Verdict:
    """Say whether this person may approve a request: it waits for that, and is not theirs."""
    reasons = list(may_move(release, State.APPROVED).reasons)
    if four_eyes and person in (release.requested_by, release.holder):
        reason = "Whoever asked for a copy, or receives it, does not approve it."
        reasons.append(Reason("SAME_PERSON", reason, "Have another custodian approve it."))
    return Verdict(tuple(reasons))


def may_issue(release: Release, result: ReleaseResult, version: Version, policy: Policy) -> Verdict:
    """Say whether a finished copy may leave: it decodes to its own party, and is traceable enough or waived."""
    reasons = list(may_move(release, State.ISSUED).reasons)
    if not result.decoded:
        reason = "The copy's own marks did not read back as its party's."
        reasons.append(Reason("MARKS_NOT_DECODED", reason, "Do not hand it out; look into the marks first."))
    if result.plan_hash != version.plan_hash:
        reason = "The copy was not marked under the plan that the log commits to."
        reasons.append(Reason("OTHER_PLAN", reason, "Make the copy again from the version's own plan."))
    weak = result.n95 is None or result.n95 > policy.power_rows
    if weak and Control.POWER_OR_WAIVER in controls(version) and not release.waiver:
        reasons.append(_weak(result.n95, policy))
    return Verdict(tuple(reasons))


def may_move(release: Release, state: State) -> Verdict:
    """Say whether a copy in its state may come to another."""
    if state in MOVES[release.state]:
        return Verdict()
    reason = f"The copy is {release.state.value} and cannot become {state.value}."
    return Verdict((Reason("RELEASE_STATE", reason, "Look at it with `release show`."),))


def _confirmed(version: Version, four_eyes: bool) -> list[Reason]:
    if not four_eyes or version.confirmed_at is not None:
        return []
    reason = "No second person has confirmed the dataset's classification and tier."
    return [Reason("VERSION_NOT_CONFIRMED", reason, "Have another custodian run `dataset confirm`.")]


def _form(release: Release, version: Version) -> list[Reason]:
    asked = controls(version)
    reasons = []
    if not release.open and not SEALED_COPIES:
        reason = "There are no sealed packages yet; only plain copies can be made."
        reasons.append(Reason("NO_SEALED_PACKAGES", reason, "Ask for a plain copy with --open."))
    if release.open and Control.SEALED_ONLY in asked:
        reasons.append(Reason("SEALED_ONLY", "The dataset's tier allows no plain copies.", "Ask for a sealed package."))
    if Control.FIELDS_NAMED in asked and release.fields is None:
        reason = "The dataset's tier asks that a project names the fields it needs."
        reasons.append(Reason("FIELDS_NOT_APPROVED", reason, "Apply anew with --fields."))
    if Control.COHORT_NAMED in asked and release.where is None:
        reason = "The dataset's tier asks that a project says whom it needs."
        reasons.append(Reason("COHORT_NOT_APPROVED", reason, "Apply anew with --where."))
    return reasons


def _weak(n95: int | None, policy: Policy) -> Reason:
    needed = "no number of leaked rows" if n95 is None else f"{n95} leaked rows"
    reason = (
        f"It takes {needed} to name the holder among {policy.power_parties} parties; the policy asks for "
        f"{policy.power_rows} at most."
    )
    return Reason("BELOW_POWER", reason, "Release more marked fields, or record why not with --waiver REASON.")
