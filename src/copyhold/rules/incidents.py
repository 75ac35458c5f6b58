"""What may be suspended."""

from copyhold.domain.custody import Custody
from copyhold.domain.incidents import Reach
from copyhold.domain.verdicts import Reason, Verdict


def may_suspend(reach: Reach, target: str, custody: Custody) -> Verdict:
    """Say whether this may be suspended: anything but the operator, whose suspension nobody could lift."""
    if reach is Reach.PERSON and target == custody.operator:
        reason = "The operator of the custody cannot be suspended: nobody might be left to lift it."
        return Verdict((Reason("OPERATOR", reason, "Revoke the operator's tokens, or stop the custody."),))
    return Verdict()
