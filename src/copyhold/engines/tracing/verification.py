"""An outsider's check of a case file: every printed figure once more, from the document alone.

Three things are told apart. Whether the figures **agree** needs nothing but the document. Whether the **cells** are
those committed to before the first release needs their openings and the log's root. Whether the stated **bits** are the
ones the party was given needs a copy that its holder countersigned, or the party's key opened, which spends it. The
reader's weights are taken as given, because the bound holds for any.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from copyhold.domain.errors import IntegrityError, InvalidInputError
from copyhold.domain.log import Statement
from copyhold.engines.marks.keys import commitment
from copyhold.engines.marks.permutation import SPACES
from copyhold.engines.marks.prf import uniforms_of_keys
from copyhold.engines.reading.readings import KINDS, Alternative, Channel, Reading
from copyhold.engines.tracing.casefile import FORMAT, Document, blind_tests, figures, hypothesis_document
from copyhold.engines.tracing.hypotheses import prior
from copyhold.engines.tracing.naming import Attempt, BelowThresholdError, describe
from copyhold.engines.tracing.parties import Cells, Seen, StatedParties, cells_of
from copyhold.engines.tracing.statement import ASSUMPTIONS, BITS_NOT_PROVED, BY_IDS_ALONE, BY_MARKS, statement

AGREEMENT = 1e-6  # six digits
EXACT = 1e-9  # in gaps: members of a pair are what was committed to, up to the rounding of their unit


@dataclass(frozen=True)
class OpenedCell:
    """What the opening of one cell's commitment shows, in the unit of the readings."""

    table: int
    row: int
    column: int
    threshold: int
    low: float
    high: float
    original_high: bool


Opener = Callable[[Sequence[Any]], Sequence[OpenedCell]]  # raises IntegrityError where an opening is false


@dataclass(frozen=True)
class Verification:
    """What a check of a case file found.

    figures_agree  every printed figure was computed again from the document to six digits
    cells_opened   every cell is one that was committed to
    bits_proved    every stated bit is one the party was given
    problems       what is wrong, or not yet proved, in plain sentences
    contradicted   something that was checked does not agree; what is only not yet proved is no contradiction
    """

    figures_agree: bool
    cells_opened: bool
    bits_proved: bool
    problems: tuple[str, ...]
    contradicted: bool = False


def verify(content: bytes, opener: Opener | None = None, copies: Mapping[str, str] | None = None) -> Verification:
    """Check a case file without the master.

    `opener` checks the openings against the log and returns what they show; `copies` are the bits that were read from
    countersigned copies, for each party a text as the case file has it.

    Raises: InvalidInputError where the content is no case file.
    """
    document = read(content)
    with _of_the_form():
        wrong = _wrong_figures(document)
        unopened = _unopened(document, opener)
        unproved, disproved = _unproved(document, copies or {})
    contradicted = bool(wrong or (unopened and opener) or disproved)
    bits_proved = not (unproved or disproved)
    return Verification(not wrong, not unopened, bits_proved, (*wrong, *unopened, *disproved, *unproved), contradicted)


def read(content: bytes) -> Document:
    """Read a case file. Raises: InvalidInputError where the content is none."""
    with _of_the_form():
        document = json.loads(content)
        if document.get("format") != FORMAT or not isinstance(document["log"], list):
            raise ValueError("another format")
    return dict(document)


def claims(document: Document) -> tuple[tuple[Statement, ...], ...]:
    """Say what the log must hold, and in which order: first root and key commitments, then the attempt and its charge.

    Raises: InvalidInputError where the document is no case file.
    """
    with _of_the_form():
        keys = [
            Statement(
                "key.committed", one["party"], {"dataset": document["dataset"], "commitment": one["key_commitment"]}
            )
            for one in document["names"]
        ]
        added = Statement("catalogue.version_added", document["version"], {})
        return (added, *keys), (Statement("tracing.attempt_opened", document["case"], _charge(document)),)


def _charge(document: Document) -> Document:
    attempt = document["attempt"]
    leak = {"dataset": document["dataset"], "leak_sha256": document["leak"]["sha256"]}
    return {"attempt": attempt["number"], "keys": attempt["keys_issued"], **leak}


@contextmanager
def _of_the_form() -> Iterator[None]:
    try:
        yield
    except (AttributeError, LookupError, OverflowError, RecursionError, TypeError, ValueError) as error:
        raise InvalidInputError("This is no case file of a form that can be checked.", code="NO_CASE_FILE") from error


def alternatives_of(document: Document) -> list[Alternative]:
    """Return the readings of a case file; a reading that would use a cell twice is refused."""
    return [Alternative(float(one["weight"]), _reading(one["reading"])) for one in document["alternatives"]]


def parties_of(document: Document, names: Sequence[Document]) -> StatedParties:
    """Return named parties as the document states them."""
    pairs = tuple((int(participant), int(value)) for participant, value in document["id_pairs"])
    moves = tuple((int(unit), int(shift)) for unit, shift in document["moves"])
    loose = tuple(int(value) for value in document["loose_ids"])
    bits = _seen([one["bits"] for one in names], len(document["cells"]))
    return StatedParties(
        id_space=int(document["id_space"]),
        released=np.array([int(one["released"]) for one in names]),
        shifts=np.array([int(one["shifts"]) for one in names]),
        cells=_cells(document),
        cell_bits=bits.hit,
        cell_held=bits.held,
        id_pairs=pairs,
        id_seen=_seen([one["ids"] for one in names], len(pairs)),
        loose=loose,
        loose_hit=_seen([one["loose"] for one in names], len(loose)).hit,
        moves=moves,
        moves_seen=_seen([one["moves"] for one in names], len(moves)),
    )


def _wrong_figures(document: Document) -> list[str]:
    wrong = []
    if document["hypotheses"] != [hypothesis_document(one) for one in prior()]:
        wrong.append("The hypotheses or their weights are not the published ones.")
    if document["assumptions"] != list(ASSUMPTIONS):
        wrong.append("The assumptions are not those of the statement.")
    if int(document["id_space"]) not in {space.size for space in SPACES}:
        wrong.append("The space of ids is none that ids are drawn from.")
    tests = document["blind_tests"]
    if not _agree(tests, blind_tests(int(tests["errors"]), int(tests["trials"]))):
        wrong.append("The upper limit of the error rate in blind tests is another.")
    for place, name in enumerate(document["names"]):
        wrong.extend(f"{name['party']}: {problem}" for problem in _wrong_name(document, place, name))
    return wrong


def _wrong_name(document: Document, place: int, name: Document) -> list[str]:
    parties = parties_of(document, document["names"][: place + 1])
    attempt = Attempt(int(document["attempt"]["number"]), int(document["attempt"]["keys_issued"]))
    seen = _cells(document).take(np.array(document["seen"], dtype=np.intp))
    try:
        again = describe(alternatives_of(document), parties, list(range(place)), place, attempt, seen)
    except BelowThresholdError:
        return ["the evidence is below the threshold."]
    wrong = [f"{key} is another." for key, value in figures(again).items() if not _close(name["figures"][key], value)]
    if name["heading"] != (BY_IDS_ALONE if again.by_ids_alone else BY_MARKS):
        wrong.append("the heading is another.")
    if name["statement"] != statement(float(name["figures"]["p_family"]), int(document["attempts_logged"])):
        wrong.append("the statement is another.")
    return wrong


def _unopened(document: Document, opener: Opener | None) -> list[str]:
    if opener is None:
        return ["The openings of the cells were not checked."]
    opened: dict[tuple[int, ...], list[OpenedCell]] = {}
    try:
        shown = opener(document["openings"])
    except IntegrityError as error:
        return [error.message]
    for one in shown:
        opened.setdefault((one.table, one.row, one.column, one.threshold, one.original_high), []).append(one)
    missing = sum(not _is_opened(opened, cell) for one in alternatives_of(document) for cell in _facts(one.reading))
    return [f"{missing} cells are not those of the openings."] if missing else []


def _facts(reading: Reading) -> list[OpenedCell]:
    parts = (reading.table, reading.row, reading.column, reading.threshold, reading.low, reading.high)
    columns = [part.tolist() for part in (*parts, reading.original_high)]
    return [OpenedCell(*cell) for cell in zip(*columns, strict=True)]


def _is_opened(opened: Mapping[tuple[int, ...], list[OpenedCell]], cell: OpenedCell) -> bool:
    same = opened.get((cell.table, cell.row, cell.column, cell.threshold, cell.original_high), [])
    slack = EXACT * (cell.high - cell.low)
    return any(abs(one.low - cell.low) <= slack and abs(one.high - cell.high) <= slack for one in same)


def _unproved(document: Document, copies: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Say whose bits are not yet proved, and whose are disproved."""
    unproved, disproved = [], []
    for name in document["names"]:
        if name["opened_key"] is not None and not _drawn_by_opened_key(document, name):
            disproved.append(f"{name['party']}: the opened key is not the one committed to, or draws other bits.")
        elif name["party"] in copies and not _same_bits(name["bits"], copies[name["party"]]):
            disproved.append(f"{name['party']}: the countersigned copy shows other bits.")
        elif name["opened_key"] is None and name["party"] not in copies:
            unproved.append(f"{name['party']}: {BITS_NOT_PROVED}")
    return unproved, disproved


def _drawn_by_opened_key(document: Document, name: Document) -> bool:
    key, nonce = (bytes.fromhex(name["opened_key"][part]) for part in ("key", "nonce"))
    cells = _cells(document)
    drawn = uniforms_of_keys([key], cells.marks)[0] < cells.threshold
    committed = commitment(key, nonce) == bytes.fromhex(name["key_commitment"])
    return committed and _same_bits(name["bits"], "".join(map(str, drawn.astype(int).tolist())))


def _same_bits(stated: str, shown: str) -> bool:
    return len(stated) == len(shown) and all(one in ("-", other) for one, other in zip(stated, shown, strict=True))


def _cells(document: Document) -> Cells:
    thresholds = {
        address: threshold
        for one in alternatives_of(document)
        for address, threshold in zip(cells_of(one.reading).addresses(), one.reading.threshold.tolist(), strict=True)
    }
    addresses = [(int(table), int(row), int(column)) for table, row, column in document["cells"]]
    table, row, column = np.array(addresses, dtype=np.object_).reshape(-1, 3).T
    threshold = np.array([thresholds[one] for one in addresses], dtype=np.uint16)
    return Cells(table.astype(np.uint16), row.astype(np.uint64), column.astype(np.uint32), threshold)


def _reading(document: Document) -> Reading:
    arrays = {name: np.array([_number(one) for one in document[name]], dtype=kind) for name, kind in KINDS.items()}
    return Reading(**arrays, channels=tuple(_channel(one) for one in document["channels"]))


def _channel(document: Document) -> Channel:
    sigmas, weights = tuple(document["sigmas"]), tuple(document["weights"])
    return Channel(document["field"], document["column"], document["grid"], sigmas, weights, document["width"])


def _number(one: str | float) -> float:
    return int(one) if isinstance(one, str) else one


def _seen(answers: Sequence[str], asked: int) -> Seen:
    if any(len(one) != asked or not set(one) <= set("01-") for one in answers):
        raise ValueError("an answer for each thing asked")
    letters = np.array([list(one) for one in answers], dtype="U1").reshape(len(answers), asked)
    return Seen(letters == "1", letters != "-")


def _agree(one: Document, other: Document) -> bool:
    return one.keys() == other.keys() and all(_close(one[key], other[key]) for key in one)


def _close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=AGREEMENT)
