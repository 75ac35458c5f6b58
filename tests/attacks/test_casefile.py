import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from copyhold.domain.errors import IntegrityError, InvalidInputError
from copyhold.engines.marks.keys import commitment
from copyhold.engines.reading.readings import Alternative, Reading, party_half, without_ids
from copyhold.engines.tracing.casefile import Circumstances, Identity, case_file
from copyhold.engines.tracing.naming import Attempt, Naming, name_parties
from copyhold.engines.tracing.parties import Holding, cells_of
from copyhold.engines.tracing.statement import BITS_NOT_PROVED
from copyhold.engines.tracing.verification import OpenedCell, Verification, verify
from tests.attacks import plain
from tests.attacks.sightings import GAP, WEEKS, Custody, custody, leak

NONCE = b"n" * 32
ATTEMPT = Attempt(number=2, keys_issued=40)


@pytest.fixture(scope="module")
def world() -> Custody:
    spent = (Holding(1, rows=np.array([3], dtype=np.uint64), columns=np.arange(2, dtype=np.uint32)),)
    return custody(6, shift=WEEKS, spent=spent)


@pytest.fixture(scope="module")
def readings(world: Custody) -> list[Alternative]:
    """The average of two colluders' copies, with ids and dates, and a second way to read them that is worse."""
    options: dict[str, Any] = {"rows": 14, "columns": 10, "averaged": True, "ids": 2, "loose": 1, "dates": 2}
    first = leak(world, [4, 1], doubtful=3, **options)
    older = replace(without_ids(first), low=first.low - GAP, high=first.high - GAP)
    return [Alternative(0.8, first), Alternative(0.2, older)]


@pytest.fixture(scope="module")
def naming(world: Custody, readings: list[Alternative]) -> Naming:
    return name_parties(readings, world.parties, world.controls(200), ATTEMPT, seen(readings))


@pytest.fixture(scope="module")
def content(world: Custody, readings: list[Alternative], naming: Naming) -> bytes:
    return case_file(readings, party_half, world.parties, naming, circumstances(world, readings, naming))


def seen(readings: list[Alternative]) -> Any:
    return cells_of(readings[0].reading).take(np.arange(0, 40, 4))


def circumstances(world: Custody, readings: list[Alternative], naming: Naming) -> Circumstances:
    identities = [
        Identity(f"par_{one.party}", "Sleep", "Uni", commitment(world.keys[one.party].mark, NONCE).hex(), ("rel_1",))
        for one in naming.names
    ]
    return Circumstances(
        case="cas_1",
        dataset="nhanes",
        version="ver_1",
        leak={"sha256": "00" * 32},
        identities=tuple(identities),
        attempts=2,
        derivations=2,
        blind_errors=1,
        blind_trials=60,
        openings=tuple(list(one) for one in sorted(openings(readings))),
        seen=seen(readings),
    )


def openings(readings: list[Alternative]) -> set[tuple[Any, ...]]:
    return {cell for one in readings for cell in facts(one.reading)}


def facts(reading: Reading) -> list[tuple[Any, ...]]:
    parts = (reading.table, reading.row, reading.column, reading.threshold)
    rest = (reading.low, reading.high, reading.original_high)
    return list(zip(*(part.tolist() for part in (*parts, *rest)), strict=True))


def opener(listed: Any) -> list[OpenedCell]:
    return [OpenedCell(*one) for one in listed]


def test_both_colluders_are_named_one_after_the_other(naming: Naming) -> None:
    assert [one.party for one in naming.names] in ([4, 1], [1, 4])


def test_an_outsider_computes_every_printed_figure_from_the_case_file_alone(content: bytes) -> None:
    case = json.loads(content)
    for place, name in enumerate(case["names"]):
        printed, log10 = name["figures"], math.log(10)
        assert printed["log10_evidence"] == six(plain.log_evidence(case, place) / log10)
        assert printed["log10_evidence_without_ids"] == six(plain.log_evidence(case, place, ids=False) / log10)
        assert printed["log10_evidence_without_seen"] == six(plain.log_evidence(case, place, seen=False) / log10)
        assert printed["log10_threshold"] == six(plain.log10_threshold(case, place))
        assert printed["p_family"] == six(plain.p_family(case, place))
        assert printed["cells"] == sum(bit != "-" for bit in name["bits"])
    tests = case["blind_tests"]
    assert tests["upper_limit"] == six(plain.upper_limit(tests["errors"], tests["trials"]))


def six(value: float) -> Any:
    return pytest.approx(value, rel=1e-6)


def test_a_case_file_holds_no_bit_of_a_party_that_is_not_named(content: bytes, world: Custody) -> None:
    case = json.loads(content)
    assert [one["party"] for one in case["names"]] in (["par_4", "par_1"], ["par_1", "par_4"])
    cells = [tuple(one) for one in case["cells"]]
    assert len(cells) == len(set(cells)) == len(case["names"][0]["bits"])
    assert not any(f"par_{party}" in content.decode() for party in (0, 2, 3, 5))


def test_a_case_file_is_the_same_bytes_each_time(
    content: bytes, world: Custody, readings: list[Alternative], naming: Naming
) -> None:
    again = case_file(readings, party_half, world.parties, naming, circumstances(world, readings, naming))
    assert content == again


def test_a_check_agrees_and_says_that_bits_are_not_yet_proved(content: bytes) -> None:
    found = verify(content, opener)
    assert (found.figures_agree, found.cells_opened, found.bits_proved) == (True, True, False)
    assert all(problem.endswith(BITS_NOT_PROVED) for problem in found.problems)


def test_bits_are_proved_by_countersigned_copies(content: bytes, world: Custody) -> None:
    case = json.loads(content)
    copies = {name["party"]: name["bits"].replace("-", "1") for name in case["names"]}
    assert verify(content, opener, copies) == Verification(True, True, True, ())
    one = case["names"][0]
    other = one["bits"].replace("1", "x").replace("0", "1").replace("x", "0")
    assert not verify(content, opener, copies | {one["party"]: other}).bits_proved


def test_bits_are_proved_by_keys_opened_and_by_no_other_keys(content: bytes, world: Custody) -> None:
    case = json.loads(content)
    for name in case["names"]:
        key = world.keys[int(name["party"].removeprefix("par_"))].mark
        name["opened_key"] = {"key": key.hex(), "nonce": NONCE.hex()}
    assert verify(written(case), opener).bits_proved
    case["names"][0]["opened_key"]["key"] = world.keys[0].mark.hex()
    assert not verify(written(case), opener).bits_proved


@pytest.mark.parametrize(
    "change",
    [
        lambda case: case["names"][0]["figures"].update(log10_evidence=99.0),
        lambda case: case["names"][1]["figures"].update(p_family=1e-14),
        lambda case: case["names"][0]["figures"].update(cells=1),
        lambda case: case["names"][0].update(statement="It was them."),
        lambda case: case["names"][0].update(heading="proof"),
        lambda case: case["names"].reverse(),
        lambda case: case["attempt"].update(number=1),
        lambda case: case["attempt"].update(keys_issued=4),
        lambda case: case["hypotheses"][0].update(weight=0.5),
        lambda case: case["assumptions"].pop(),
        lambda case: case["blind_tests"].update(upper_limit=0.001),
        lambda case: case["alternatives"][0]["reading"]["observation"].__setitem__(0, 0.0),
        lambda case: case["names"][0].update(bits=flipped(case["names"][0]["bits"])),
    ],
)
def test_a_changed_figure_or_input_is_found(content: bytes, change: Any) -> None:
    case = json.loads(content)
    change(case)
    assert not verify(written(case), opener).figures_agree


def test_cells_that_were_not_committed_to_are_found(content: bytes) -> None:
    case = json.loads(content)
    assert not verify(content).cells_opened
    case["openings"].pop()
    assert not verify(written(case), opener).cells_opened
    case = json.loads(content)
    case["openings"][0][4] += 0.01
    assert not verify(written(case), opener).cells_opened


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"format": "copyhold case 1"}', b"\xff\xfe", b"null"])
def test_what_is_no_case_file_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInputError) as refused:
        verify(content, opener)
    assert refused.value.code == "NO_CASE_FILE"


def test_a_case_file_that_reads_a_cell_twice_is_refused(content: bytes) -> None:
    case = json.loads(content)
    reading = case["alternatives"][0]["reading"]
    reading["column"][1] = reading["column"][0]
    with pytest.raises(InvalidInputError, match="read once"):
        verify(written(case), opener)


def test_nothing_is_written_where_nobody_is_named(world: Custody, readings: list[Alternative], naming: Naming) -> None:
    with pytest.raises(InvalidInputError):
        case_file(readings, party_half, world.parties, Naming(ATTEMPT), circumstances(world, readings, naming))


def test_readings_that_contradict_the_plan_make_no_case_file(
    world: Custody, readings: list[Alternative], naming: Naming
) -> None:
    other = replace(readings[1].reading, threshold=readings[1].reading.threshold + 1)
    both = [readings[0], Alternative(0.2, other)]
    with pytest.raises(IntegrityError):
        case_file(both, party_half, world.parties, naming, circumstances(world, readings, naming))


def written(case: Any) -> bytes:
    return json.dumps(case).encode()


def flipped(bits: str) -> str:
    place = next(number for number, bit in enumerate(bits) if bit != "-")
    return bits[:place] + ("0" if bits[place] == "1" else "1") + bits[place + 1 :]
