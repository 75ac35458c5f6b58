"""An entry disclosed to somebody entitled: its leaf, its payload with the salt, and the proof that it is in the log.

Written as JSON with four members: `leaf` is the entry as it stands in the log, `payload` what it commits to, `salt` the
32 bytes (base64) that show it is this payload, `proof` a `.tlog-proof` file. Who holds the log's vkey checks all four
with nothing else.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from copyhold.auditlog.checkpoints import Checkpoint
from copyhold.auditlog.encoding import Json, from_base64, to_base64
from copyhold.auditlog.entries import Leaf, OpenPayload, verify_commitment
from copyhold.auditlog.notes import VerifierKey
from copyhold.auditlog.proofs import LogProof
from copyhold.auditlog.verification import read_entry, verify
from copyhold.domain.errors import CopyholdError, IntegrityError, InvalidInputError
from copyhold.domain.log import Statement


@dataclass(frozen=True)
class Disclosure:
    """One entry with all that it takes to check it. It is read, not yet checked."""

    leaf: Leaf
    opened: OpenPayload
    proof: LogProof

    @property
    def document(self) -> dict[str, Json]:
        """The disclosure as JSON."""
        return {
            "leaf": self.leaf.encode().decode(),
            "payload": dict(self.opened.payload),
            "salt": to_base64(self.opened.salt),
            "proof": self.proof.text,
        }

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> "Disclosure":
        """Read a disclosure. Raises InvalidInputError for any departure from the form."""
        texts = [document.get(name) for name in ("leaf", "salt", "proof")]
        payload = document.get("payload")
        if not all(isinstance(one, str) for one in texts) or not isinstance(payload, dict):
            raise InvalidInputError("An entry of the log is not disclosed whole: leaf, payload, salt and proof.")
        leaf, salt, proof = (str(one) for one in texts)
        opened = OpenPayload(payload, from_base64(salt, "The salt of an entry"))
        return cls(Leaf.decode(leaf.encode(errors="surrogatepass")), opened, LogProof.parse(proof))

    def open(self) -> Mapping[str, Any]:
        """Give the payload, held against the leaf. Raises IntegrityError (LOG_PAYLOAD) where it is another."""
        verify_commitment(self.leaf, self.opened)
        return self.opened.payload

    def verify(self, key: VerifierKey) -> Checkpoint:
        """Check that the entry stands at its place in the key's log; give the checkpoint it is proven under.

        Raises IntegrityError where it does not, InvalidInputError where the checkpoint is malformed.
        """
        if self.proof.index != self.leaf.seq:
            raise IntegrityError("The proof is of another entry than the one disclosed.", code="LOG_PROOF")
        return self.proof.verify(self.leaf.encode(), key)


_Entry = tuple[int, Mapping[str, Any]]  # its place in the log, its payload


@dataclass(frozen=True)
class Check:
    """What entries disclosed to an outsider were found to prove.

    proved        every statement is made by an entry that is in the log of the key given
    contradicted  something that was checked does not agree; what is only not shown is no contradiction
    payloads      of the entries that are what their leaves commit to (and in the log, where a key was given)
    """

    proved: bool
    contradicted: bool
    payloads: tuple[Mapping[str, Any], ...]
    problems: tuple[str, ...]


def check(
    documents: Sequence[Any],
    stages: Sequence[Sequence[Statement]],
    vkey: str | None = None,
    directory: Path | None = None,
) -> Check:
    """Check disclosed entries and what they state, without any custody.

    Whatever is stated at one stage must stand in the log before all that is stated at the next. `vkey` is the log's
    key as the outsider was given it; without it nothing is proved. `directory` is a copy of the log, which is then
    verified whole and must hold the same entries.

    Raises: InvalidInputError where the vkey cannot be read.
    """
    key = VerifierKey.parse(vkey) if vkey is not None else None
    entries: list[_Entry] = []
    false = []
    for document in documents:
        try:
            entries.append(_held(document, key, directory))
        except CopyholdError as error:
            false.append(f"An entry of the log is refused. {error.message}")
    if vkey is not None and directory is not None:
        false.extend(verify(directory, vkey).problems)
    places = [[(one, _first(one, entries)) for one in stage] for stage in stages]
    false.extend(_out_of_order(places))
    open_ends = [f"No entry of the log shows: {one.type}." for stage in places for one, seq in stage if seq is None]
    if key is None:
        open_ends.append("The log's key was not given: nothing shows whose log this is. Name it with --vkey.")
    payloads = tuple(payload for _, payload in entries)
    return Check(not (false or open_ends), bool(false), payloads, (*false, *open_ends))


def _held(document: Any, key: VerifierKey | None, directory: Path | None) -> _Entry:
    """Check one disclosed entry as far as that can be done, and give its place and payload."""
    if not isinstance(document, dict):
        raise InvalidInputError("It is not disclosed whole.")
    disclosure = Disclosure.parse(document)
    payload = disclosure.open()
    if key is not None:
        disclosure.verify(key)
    if directory is not None and read_entry(directory, disclosure.leaf.seq) != disclosure.leaf.encode():
        raise InvalidInputError("The copy of the log holds another entry in its place.")
    return disclosure.leaf.seq, payload


def _first(statement: Statement, entries: Iterable[_Entry]) -> int | None:
    return min((seq for seq, payload in entries if statement.is_made_by(payload)), default=None)


def _out_of_order(places: Sequence[Sequence[tuple[Statement, int | None]]]) -> Iterator[str]:
    """Tell of statements that were made after something they should stand before."""
    for earlier, later in pairwise(places):
        begun = min((seq for _, seq in later if seq is not None), default=None)
        for one, seq in earlier:
            if begun is not None and seq is not None and seq > begun:
                yield f"The log holds {one.type} only after what should have followed it."
