"""What makes a function an act: one permission, one durable transaction, one entry in the log.

The transaction first locks the log's counter, so that acts decide in the order in which the log tells them; it ends by
writing the act's entry, and one more for each further thing it moved. A refusal is entered in a second transaction,
after the first was rolled back; refusals like it within a minute are counted and entered together. Acts never call
acts: the inner one raises RuntimeError. A reading checks its permission and sees one snapshot that it cannot change.

A public action takes the Occasion first; its body gets an Act (or, in a reading, a Reader) in that place.
"""

import hashlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast
from uuid import UUID

import rfc8785

from copyhold.auditlog import entries
from copyhold.auditlog.encoding import Json
from copyhold.domain.accounts import Actor, Standing
from copyhold.domain.log import Refusals
from copyhold.domain.moments import stamp
from copyhold.domain.parties import PersonId
from copyhold.domain.verdicts import Refused
from copyhold.domain.words import CHANCE_BYTES, Id, Plain, plain
from copyhold.ports import Occasion, Outside
from copyhold.records import accounts, log, transactions
from copyhold.rules import permissions

P = ParamSpec("P")
T = TypeVar("T")
AnId = TypeVar("AnId", bound=Id)

LIKE_REFUSALS = timedelta(minutes=1)  # refusals alike within this time become one entry with a count


@dataclass(frozen=True)
class Declared:
    """What a public action says of itself."""

    name: str
    permission: str
    entry: str | None
    run: Callable[..., Any]


ACTIONS: dict[str, Declared] = {}


class Reader:
    """Somebody reading: who, when, what they are, and the outside world."""

    def __init__(self, occasion: Occasion, standing: Standing) -> None:
        self.actor: Actor = occasion.actor
        self.at: datetime = occasion.at
        self.outside: Outside = occasion.outside
        self.standing = standing

    @property
    def person(self) -> PersonId:
        """The person who acts; there is one wherever the permission asks for sign-in."""
        if self.standing.person is None:
            raise RuntimeError("an action that asks who acts needs a permission that asks for sign-in")
        return self.standing.person


@dataclass(frozen=True)
class Pending:
    """An entry that the act will write when it ends."""

    type: str
    subject: str
    facts: Plain
    project: str
    actor: str


class Act(Reader):
    """An act under way. Its body names what it moved; without that it is rolled back."""

    def __init__(self, occasion: Occasion, standing: Standing) -> None:
        super().__init__(occasion, standing)
        self._own: list[Pending] = []
        self._further: list[Pending] = []

    def new_id(self, kind: type[AnId]) -> AnId:
        """Make an id of this moment."""
        return kind.new(self.at, self.outside.chance(CHANCE_BYTES))

    def enter(self, subject: str, facts: object, *, project: str = "") -> None:
        """Say what the act's own entry is about; exactly once per act."""
        if self._own:
            raise RuntimeError("an act has one entry of its own; use also() for further things moved")
        self._own.append(Pending("", subject, plain(facts), project, str(self.standing.person or "")))

    def also(self, entry: str, subject: str, facts: object, *, project: str = "") -> None:
        """Add the entry of one further thing that this act moved."""
        self._further.append(Pending(entry, subject, plain(facts), project, str(self.standing.person or "")))

    def pending(self, entry: str) -> list[Pending]:
        """Give the act's entry and those of the further things."""
        if not self._own:
            raise RuntimeError("an act must say what it did: it called enter() not once")
        return [replace(self._own[0], type=entry), *self._further]


def action(
    permission: str, entry: str
) -> Callable[[Callable[Concatenate[Act, P], T]], Callable[Concatenate[Occasion, P], T]]:
    """Declare an act: who may do it, and what the log will call it once done."""

    def declare(body: Callable[Concatenate[Act, P], T]) -> Callable[Concatenate[Occasion, P], T]:
        def run(occasion: Occasion, *args: P.args, **kwargs: P.kwargs) -> T:
            try:
                with transactions.durable():
                    seq = log.lock()
                    act = Act(occasion, accounts.standing(occasion.actor.person))
                    permissions.may(permission, act.standing).require()
                    value = body(act, *args, **kwargs)
                    _write(occasion, seq, act.pending(entry))
                    return value
            except Refused as refusal:
                _enter_refusal(occasion, permission, refusal)
                raise

        return _declared(body, run, permission, entry)

    return declare


def reading(
    permission: str,
) -> Callable[[Callable[Concatenate[Reader, P], T]], Callable[Concatenate[Occasion, P], T]]:
    """Declare a reading: who may see it. A refused one is entered like a refused act."""

    def declare(body: Callable[Concatenate[Reader, P], T]) -> Callable[Concatenate[Occasion, P], T]:
        def run(occasion: Occasion, *args: P.args, **kwargs: P.kwargs) -> T:
            try:
                with transactions.snapshot():
                    standing = accounts.standing(occasion.actor.person)
                    permissions.may(permission, standing).require()
                    return body(Reader(occasion, standing), *args, **kwargs)
            except Refused as refusal:
                _enter_refusal(occasion, permission, refusal)
                raise

        return _declared(body, run, permission, None)

    return declare


def upkeep(
    permission: str,
) -> Callable[[Callable[Concatenate[Reader, P], T]], Callable[Concatenate[Occasion, P], T]]:
    """Declare what keeps the log itself: a durable transaction without an entry, since entries on entries never end."""

    def declare(body: Callable[Concatenate[Reader, P], T]) -> Callable[Concatenate[Occasion, P], T]:
        def run(occasion: Occasion, *args: P.args, **kwargs: P.kwargs) -> T:
            with transactions.durable():
                log.lock()
                standing = accounts.standing(occasion.actor.person)
                permissions.may(permission, standing).require()
                return body(Reader(occasion, standing), *args, **kwargs)

        return _declared(body, run, permission, None)

    return declare


def _declared(
    body: Callable[..., T], run: Callable[..., T], permission: str, entry: str | None
) -> Callable[Concatenate[Occasion, P], T]:
    """Give the runner the body's name, text and signature, with the Occasion in the Act's place; and list it."""
    runner = wraps(body)(run)
    first, *others = inspect.signature(body).parameters.values()
    occasion = first.replace(name="occasion", annotation=Occasion)
    hints = {name: hint for name, hint in body.__annotations__.items() if name != first.name}
    runner.__annotations__ = {"occasion": Occasion, **hints}
    runner.__signature__ = inspect.signature(body).replace(parameters=[occasion, *others])  # type: ignore[attr-defined]
    name = f"{body.__module__.rpartition('.')[2]}.{body.__name__}"
    ACTIONS[name] = Declared(name, permission, entry, runner)
    return runner


def _enter_refusal(occasion: Occasion, permission: str, refusal: Refused) -> None:
    noun = permission.partition(":")[0]
    codes = sorted({reason.code for reason in refusal.verdict.reasons})
    facts: dict[str, Plain] = {"permission": permission, "codes": list[Plain](codes)}
    actor = str(occasion.actor.person or "")
    pending = Pending(f"{noun}.refused", "", facts, "", actor)
    with transactions.durable():
        seq = log.lock()
        key = _refusal_key(occasion.actor, permission, codes)
        over = _refusals_over(occasion.at)
        fresh = log.count_refusal(key, actor=actor, entry_type=pending.type, facts=facts, at=occasion.at)
        _write_all(occasion, seq, over + [pending] * fresh)


def _refusal_key(actor: Actor, permission: str, codes: list[str]) -> str:
    told = [str(actor.person), actor.door.value, actor.operating_user, permission, *codes]
    return hashlib.sha256(rfc8785.dumps(told)).hexdigest()


def _refusals_over(at: datetime) -> list[Pending]:
    return [_repeated(refusals) for refusals in log.take_refusals(before=at - LIKE_REFUSALS)]


def _repeated(refusals: Refusals) -> Pending:
    facts = {**refusals.facts, "repeats": refusals.repeats, "since": plain(refusals.first_at)}
    return Pending(refusals.type, "", facts, "", refusals.actor)


def _write(occasion: Occasion, seq: int, pending: list[Pending]) -> None:
    _write_all(occasion, seq, _refusals_over(occasion.at) + pending)


def _write_all(occasion: Occasion, seq: int, pending: list[Pending]) -> None:
    if pending:
        log.append([_event(occasion, seq + place, one) for place, one in enumerate(pending)])


def _event(occasion: Occasion, seq: int, pending: Pending) -> log.Event:
    """Commit to the payload in a public leaf, and seal the payload under a key of its own."""
    keys, chance = occasion.outside.keys, occasion.outside.chance
    entry_id = str(UUID(bytes=chance(16), version=4))
    payload = _payload(occasion, pending)
    payload_salt = chance(entries.SALT_BYTES)
    payload_key = keys.derive("payload", payload_salt).reveal()
    secrets = entries.PayloadSecrets(payload_key, chance(entries.SALT_BYTES), chance(entries.NONCE_BYTES))
    leaf = _leaf(occasion, seq, entry_id, pending, entries.commitment(secrets.salt, payload))
    return log.Event(
        seq=seq,
        at=occasion.at,
        type=pending.type,
        actor=pending.actor,
        subject=pending.subject,
        leaf=leaf.encode(),
        sealed=entries.seal(payload, entry_id, secrets),
        payload_salt=payload_salt,
    )


def _payload(occasion: Occasion, pending: Pending) -> dict[str, Json]:
    told: dict[str, Plain] = {
        "type": pending.type,
        "at": plain(occasion.at),
        "actor": pending.actor,
        "door": occasion.actor.door.value,
        "operating_user": occasion.actor.operating_user,
        "subject": pending.subject,
        "project": pending.project,
        "facts": pending.facts,
    }
    return cast(dict[str, Json], told)  # the same words; one alias spells mappings wider


def _leaf(occasion: Occasion, seq: int, entry_id: str, pending: Pending, commitment: str) -> entries.Leaf:
    log_key = occasion.outside.keys.derive("pseudonym").reveal()
    actor = pending.actor or f"door {occasion.actor.door.value} {occasion.actor.operating_user}"
    return entries.Leaf(
        seq=seq,
        id=entry_id,
        t=stamp(occasion.at),
        type=pending.type,
        actor=entries.pseudonym(log_key, "p" if pending.actor else "d", actor),
        subject=entries.pseudonym(log_key, "s", pending.subject) if pending.subject else None,
        project=entries.pseudonym(log_key, "j", pending.project) if pending.project else None,
        commitment=commitment,
        policy=None,
    )
