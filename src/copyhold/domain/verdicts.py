"""The answer of every rule: yes, or no with every reason at once."""

from collections.abc import Iterable
from dataclasses import dataclass

from copyhold.domain.errors import CopyholdError


@dataclass(frozen=True)
class Reason:
    """Why not: a stable code, a plain sentence, and what would mend it."""

    code: str
    reason: str
    fix: str


@dataclass(frozen=True)
class Verdict:
    """Yes where there is no reason against it; otherwise no, with all of them."""

    reasons: tuple[Reason, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reasons

    def __bool__(self) -> bool:
        return self.allowed

    def and_also(self, other: "Verdict") -> "Verdict":
        """Both must allow; every reason of both is kept, in order, each once."""
        return Verdict(tuple(dict.fromkeys(self.reasons + other.reasons)))

    def require(self) -> None:
        """Raise Refused with every reason unless allowed."""
        if self.reasons:
            raise Refused(self)


def all_of(verdicts: Iterable[Verdict]) -> Verdict:
    """Join verdicts: yes only where each says yes. An empty policy is no policy, so it refuses."""
    joined: Verdict | None = None
    for verdict in verdicts:
        joined = verdict if joined is None else joined.and_also(verdict)
    if joined is None:
        return Verdict((Reason("EMPTY_POLICY", "No rule was stated, so nothing is allowed.", "State a rule."),))
    return joined


class Refused(CopyholdError):  # noqa: N818 - a refusal is an answer, not a failure
    """A rule said no; `verdict` holds every reason."""

    code = "REFUSED"

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(" ".join(reason.reason for reason in verdict.reasons))
        self.verdict = verdict
