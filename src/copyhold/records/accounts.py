"""Standing and service tokens as remembered."""

from datetime import datetime
from typing import Any

from copyhold.domain.accounts import Standing, Token, TokenId
from copyhold.domain.errors import NotFoundError
from copyhold.domain.parties import PersonId
from copyhold.records import incidents, parties, values
from copyhold.records.models import accounts as rows


def standing(person: PersonId | None) -> Standing:
    """What an actor is now: roles, and whether a suspension reaches them."""
    if person is None:
        return Standing()
    known = parties.person(person)
    stopped = bool(incidents.reaching_person(known))
    return Standing(person, known.roles, suspended=stopped, institution=known.institution)


def issue_token(token: Token, sha256: str) -> None:
    """Remember a token by its hash."""
    rows.Token.objects.create(
        id=token.id,
        person_id=token.person,
        label=token.label,
        shown=token.shown,
        sha256=sha256,
        issued_by_id=token.issued_by,
        issued_at=token.issued_at,
        expires_at=token.expires_at,
    )


def token_of(sha256: str) -> Token | None:
    """The token with this hash."""
    return values.first(Token, rows.Token.objects.filter(sha256=sha256))


def token(identifier: TokenId) -> Token:
    """The token of this id."""
    return values.one(Token, rows.Token.objects.filter(pk=identifier))


def tokens() -> tuple[Token, ...]:
    """All tokens, newest first."""
    return values.each(Token, rows.Token.objects.order_by("-pk"))


def revoke_token(identifier: TokenId, at: datetime) -> None:
    """End a token."""
    changed: Any = rows.Token.objects.filter(pk=identifier, revoked_at=None).update(revoked_at=at)
    if not changed:
        raise NotFoundError("There is no such token in use; `token list` shows those there are.")
