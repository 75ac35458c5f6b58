"""When a service token speaks for a person."""

from datetime import datetime

from copyhold.domain.accounts import Token
from copyhold.domain.parties import PersonId
from copyhold.domain.verdicts import Reason, Verdict

# Letters by which leak scanners know a token of this software.
TOKEN_PREFIX = "cht_"  # noqa: S105 - no secret: the public beginning of every token
TOKEN_BYTES = 32
LONGEST_DAYS = 90


def may_speak(token: Token | None, person: PersonId, at: datetime) -> Verdict:
    """Say whether what was shown is a token of this person, in force."""
    if token is None or token.person != person:
        return _no("TOKEN_UNKNOWN", "The token shown is not one of this person's.", "Show that person's own token.")
    if token.revoked_at is not None and token.revoked_at <= at:
        return _no("TOKEN_REVOKED", "The token shown was revoked.", "Have a new token issued.")
    if at >= token.expires_at:
        return _no("TOKEN_EXPIRED", "The token shown has expired.", "Have a new token issued.")
    return Verdict()


def token_needed() -> Verdict:
    """Refuse to let somebody act as another person on their word alone."""
    reason = "In a custody with four eyes, acting as another person needs that person's token."
    return _no("TOKEN_NEEDED", reason, "Put the person's token into COPYHOLD_TOKEN; `token add` issues one.")


def _no(code: str, reason: str, fix: str) -> Verdict:
    return Verdict((Reason(code, reason, fix),))
