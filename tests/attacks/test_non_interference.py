"""Tests 4 and 5 of the tracing design, section 11, over the command line: what a trace tells of whom it does not name.

Three custodies are alike in ids, clock, chance, register and plan; the keys of their parties are three draws.
"""

from collections.abc import Callable
from dataclasses import fields, replace
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from copyhold.domain.catalogue import DatasetId
from copyhold.engines.marks.keys import KEY_BYTES
from tests.journeys.scene import AGE, BONE, HEART, SCOPES, Scene, dictionary, people
from tests.journeys.twins import Twin, later, twin

from copyhold.actions import log, releases, tracing  # isort: skip - rows can be imported only once Django is set up
from copyhold.auditlog.entries import Leaf  # isort: skip
from copyhold.jobs.tracing.leaks import read_leak  # isort: skip
from copyhold.jobs.tracing.sightings import find  # isort: skip

PROJECTS = (HEART, AGE, BONE)


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Twin]:
    """Twins of a custody in which three copies were made after they parted."""
    folder = tmp_path_factory.mktemp("twins")
    scene = Scene(folder / "before").founded()
    scene.dataset(people(2_000), dictionary())
    for project in PROJECTS:
        scene.project(project, *SCOPES.get(project, ()))
    started = scene.home.clock()
    made = {draw: twin(scene, folder / draw, draw, started) for draw in ("first", "second", "third")}
    for one in made.values():
        for project in PROJECTS:
            one.copy(project)
    return made


@pytest.fixture
def pair(twins: dict[str, Twin], tmp_path: Path) -> list[Twin]:
    """The first and the second twin, to change; both at the same moment and with the same chance before them."""
    return [later(twins[draw], tmp_path / draw) for draw in ("first", "second")]


def copied(one: Twin, project: str) -> pl.DataFrame:
    return pl.read_parquet(one.file(f"{project.lower()}.parquet"))


LEAKS: dict[str, Callable[[dict[str, Twin]], pl.DataFrame]] = {
    "the unmarked original": lambda twins: people(2_000).sample(30, seed=1),
    "two rows of a copy": lambda twins: copied(twins["first"], HEART).sample(2, seed=2),
    "a copy under keys of neither": lambda twins: copied(twins["third"], HEART).sample(40, seed=3),
    "its ids as well": lambda twins: copied(twins["third"], HEART).sample(40, seed=4).with_columns(id=pl.col("SEQN")),
    "other people": lambda twins: people(40, skipped=6_000),
}


def told(one: Twin, leak: Path) -> dict[str, Any]:
    """Trace a leak, and collect all that the trace told, entered or kept."""
    before, kept = log.size(one.occasion()), objects(one)
    ended = one.run("trace", leak, "--report", one.file("report.html"), "--json")
    answer = ended.json
    cases = one.run("case", "list", "--json")
    entries = [log.open_entry(one.occasion(), seq).payload for seq in range(before, log.size(one.occasion()))]
    leaves = [Leaf.decode(row.leaf) for row in log.rows(one.occasion(), before)]
    return {
        "code": ended.code,
        "output": ended.out.replace(str(one.folder), ""),
        "notes": ended.err,
        "verdict": answer["verdict"],
        "report": one.file("report.html").read_bytes(),
        "cases": cases.out,
        "payloads": entries,
        "leaves": [(one.type, one.t, one.actor, one.subject, one.project, one.policy) for one in leaves],
        "kept": objects(one) - kept,
    }


def objects(one: Twin) -> set[str]:
    return {file.name for file in (one.custody / "objects").rglob("*") if file.is_file()}


@pytest.mark.parametrize("kind", LEAKS)
def test_a_leak_that_names_nobody_is_answered_alike_under_any_keys(
    kind: str, twins: dict[str, Twin], pair: list[Twin], tmp_path: Path
) -> None:
    leak = pair[0].leak(LEAKS[kind](twins))
    first, second = (told(one, leak) for one in pair)
    assert first["verdict"] in ("unmarked_original", "ours_cannot_tell", "not_ours")
    assert first == second
    assert first["kept"] == set()


def test_the_twins_have_other_keys_and_a_copy_names_its_holder_under_its_own_alone(pair: list[Twin]) -> None:
    leak = pair[0].leak(copied(pair[0], HEART).sample(30, seed=5))
    first, second = (told(one, leak) for one in pair)
    assert (first["code"], first["verdict"]) == (4, "named")
    assert (second["code"], second["verdict"]) == (0, "ours_cannot_tell")
    kinds = [(entry["type"], sorted(entry["facts"])) for entry in first["payloads"]]
    assert kinds == [(entry["type"], sorted(entry["facts"])) for entry in second["payloads"]]
    but_when = [[(kind, *rest) for kind, _, *rest in one["leaves"]] for one in (first, second)]
    assert but_when[0] == but_when[1]  # a case file takes more acts, each with a moment of its own


def test_a_leak_is_read_alike_under_any_keys(twins: dict[str, Twin], pair: list[Twin]) -> None:
    for kind in ("two rows of a copy", "a copy under keys of neither", "its ids as well"):
        leak = pair[0].leak(LEAKS[kind](twins))
        first, second = (readings(one, leak) for one in pair)
        assert len(first) == len(second) > 0
        for one, other in zip(first, second, strict=True):
            assert one.keys() == other.keys()
            assert all(np.array_equal(one[name], other[name]) for name in one)


def readings(one: Twin, leak: Path) -> list[dict[str, Any]]:
    """Read a leak as the trace does, to the arrays that the scorer takes."""
    sighting = find(one.home, tracing.register(one.occasion()), read_leak([leak]), lambda name, share: None)
    assert sighting is not None
    found = sighting.read(0).alternatives
    return [{each.name: getattr(way.reading, each.name) for each in fields(way.reading)} for way in found]


def test_leaving_out_a_party_that_is_not_named_changes_nothing_that_is_told(
    twins: dict[str, Twin], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R is held fixed: the key left out is counted, as one of another dataset would be, and not asked."""
    rows = copied(twins["first"], HEART).filter(pl.col("RIDAGEYR") >= 50).sample(30, seed=6)
    whole = later(twins["first"], tmp_path / "whole")
    leak = whole.leak(rows)
    everybody = told(whole, leak)
    assert everybody["verdict"] == "named"
    asked = tracing.open_attempt
    for left_out in (AGE, BONE):
        rest = later(twins["first"], tmp_path / left_out)
        party = next(
            one.party for one in tracing.register(twins["first"].occasion()).copies if one.project_name == left_out
        )

        def without(*given: Any, party: str = party) -> Any:
            attempt = asked(*given)
            keys = (replace(one, dataset=DatasetId.new(attempt.opened_at, bytes(10))) if one.party == party else one
                    for one in attempt.keys)  # fmt: skip
            return replace(attempt, keys=tuple(keys))

        with monkeypatch.context() as patch:
            patch.setattr(tracing, "open_attempt", without)
            fewer = told(rest, leak)
        assert uncounted(fewer) == uncounted(everybody)


def uncounted(answer: dict[str, Any]) -> dict[str, Any]:
    """Leave out what counts parties: how many were asked, and with them the keys derived and the case file's hash."""
    facts = [{name: each for name, each in entry.items() if name != "facts"} for entry in answer["payloads"]]
    output = answer["output"].replace('"parties_considered": 3', '"parties_considered": 2')
    page = answer["report"].decode()
    derived = page.partition("Mark keys derived, as the key store counts")
    page = derived[0] + derived[2].partition("</dd>")[2]
    kept = len(answer["kept"])
    return {**answer, "payloads": facts, "output": output, "report": page, "kept": kept, "cases": ""}


def test_control_keys_that_a_party_has_fail_the_instrument_and_name_nobody(pair: list[Twin]) -> None:
    """As where the generator hands out what it handed out before: the controls are the leaker's own keys."""
    sound = pair[0]
    leak = sound.leak(copied(sound, HEART).sample(30, seed=7))
    order = releases.order(sound.occasion(), copies_of(sound)[HEART])
    parts = (order.custody, order.dataset, order.party)
    derived = [sound.home.outside.keys.derive(purpose, *parts, *epoch).reveal()
               for purpose, epoch in (("mark", (str(order.epoch),)), ("id", ()), ("date", ()))]  # fmt: skip
    broken = replace(sound, chance=handing_out(derived, sound.chance))
    failed = told(broken, leak)
    assert (failed["code"], failed["verdict"]) == (5, "instrument_failed")
    assert '"named": []' in failed["output"]
    assert HEART not in failed["report"].decode()
    assert failed["kept"] == set()
    again = told(sound, leak)
    assert (again["code"], again["verdict"]) == (4, "named")


def handing_out(keys: list[bytes], otherwise: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """Chance that gives these keys in turn wherever keys are drawn one after another."""
    turns = [cycle(keys)]

    def chance(size: int) -> bytes:
        if size == KEY_BYTES:
            return next(turns[0])
        turns[0] = cycle(keys)
        return otherwise(size)

    return chance


def copies_of(one: Twin) -> dict[str, str]:
    return {copy.project_name: copy.release for copy in tracing.register(one.occasion()).copies}
