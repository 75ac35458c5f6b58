"""Who acts, and service tokens.

Acts:
    issue_token(occasion, email, label="", days=90) -> IssuedToken        account:issue_token   account.token_issued
    revoke_token(occasion, token_id) -> Token                             account:revoke_token  account.token_revoked
Readings:
    recognise(occasion, email=None, secret=None) -> PersonId              account:recognise
        the occasion's actor has no person yet; no e-mail address means the operator. In a custody with four eyes
        anybody but the operator must show a token of their own. The door then makes its Actor with this person.
    tokens(occasion) -> tuple[Token, ...]                                 account:tokens
"""

import base64
import hashlib
from datetime import timedelta

from copyhold.actions.act import Act, Reader, action, reading
from copyhold.domain.accounts import IssuedToken, Token, TokenId
from copyhold.domain.errors import InvalidInputError
from copyhold.domain.parties import PersonId
from copyhold.domain.words import Secret, text
from copyhold.records import accounts, custody, parties
from copyhold.rules.accounts import LONGEST_DAYS, TOKEN_BYTES, TOKEN_PREFIX, may_speak, token_needed


@reading("account:recognise")
def recognise(reader: Reader, email: str | None = None, secret: Secret | None = None) -> PersonId:
    """Say which person acts: the operator, or whom the token shows; Refused where the token does not."""
    keeping = custody.get()
    person = keeping.operator if email is None else parties.person_called(email).id
    if secret is not None:
        may_speak(accounts.token_of(_hash(secret)), person, reader.at).require()
    elif keeping.four_eyes and person != keeping.operator:
        token_needed().require()
    return person


@action("account:issue_token", "account.token_issued")
def issue_token(act: Act, email: str, label: str = "", days: int = LONGEST_DAYS) -> IssuedToken:
    """Issue a token that speaks for a person; it is shown this once."""
    if not 1 <= days <= LONGEST_DAYS:
        raise InvalidInputError(f"A token lasts 1 to {LONGEST_DAYS} days.")
    person = parties.person_called(email)
    secret = Secret(TOKEN_PREFIX.encode() + base64.urlsafe_b64encode(act.outside.chance(TOKEN_BYTES)).rstrip(b"="))
    token = Token(
        id=act.new_id(TokenId),
        person=person.id,
        label=text(label, "The label", least=0),
        shown=secret.reveal()[:8].decode(),
        issued_by=act.person,
        issued_at=act.at,
        expires_at=act.at + timedelta(days=days),
    )
    accounts.issue_token(token, _hash(secret))
    act.enter(token.id, token)
    return IssuedToken(token, secret)


@action("account:revoke_token", "account.token_revoked")
def revoke_token(act: Act, token_id: str) -> Token:
    """End a token at once."""
    accounts.revoke_token(TokenId.parse(token_id), act.at)
    token = accounts.token(TokenId.parse(token_id))
    act.enter(token.id, token)
    return token


@reading("account:tokens")
def tokens(_reader: Reader) -> tuple[Token, ...]:
    """List the tokens, newest first; none shows its secret."""
    return accounts.tokens()


def _hash(secret: Secret) -> str:
    return hashlib.sha256(secret.reveal().strip()).hexdigest()
