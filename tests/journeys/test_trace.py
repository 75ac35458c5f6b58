"""Leaks traced from the command line on real people: every answer, many disguises, and what an outsider checks."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
import openpyxl
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from tests.journeys.scene import AGE, BONE, HEART, LEADS, Scene, dictionary, nhanes, people

from copyhold.actions import releases, tracing  # isort: skip - rows can be imported only once Django is set up
from copyhold.jobs.releases import Copying  # isort: skip


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """The usual scene, which no test changes."""
    return nhanes(tmp_path_factory.mktemp("nhanes"))


@pytest.fixture
def own(scene: Scene, tmp_path: Path) -> Iterator[Scene]:
    """A copy of the usual scene to change."""
    with scene.taken(tmp_path) as taken:
        yield taken


def copy(scene: Scene, project: str) -> pl.DataFrame:
    return pl.read_parquet(scene.file(f"{project.lower()}.parquet"))


def rows(scene: Scene, project: str, count: int = 20, seed: int = 1) -> pl.DataFrame:
    return copy(scene, project).sample(count, seed=seed, shuffle=True)


def named(answer: object) -> list[str]:
    assert isinstance(answer, dict)
    return [one["project"] for one in answer["named"]]


def test_a_leak_names_its_holder_and_an_outsider_agrees(own: Scene, tmp_path: Path) -> None:
    leak = own.leak(rows(own, BONE))
    ended = own.run("trace", leak, "--report", own.file("report.html"), "--json")
    assert ended.code == 4, ended.err
    told = ended.json
    assert (told["verdict"], named(told), told["attempt"], told["parties_considered"]) == ("named", [BONE], 1, 3)
    assert told["named"][0]["institution"] == "Valley"
    assert told["named"][0]["p_family"] < 1e-9
    assert told["named"][0]["log10_evidence"] > told["log10_threshold"]
    page = own.file("report.html").read_text()
    assert "Bone" in page
    assert not any(other in page for other in ("Heart", "Harbour", "Age at", "Hill"))
    shown = own.done("case", "show", told["case"], "--file", own.file("case.json"))
    assert shown.json == {name: value for name, value in told.items() if name != "report"}
    own.done("log", "export", own.file("log"))
    outside = tmp_path / "outside"
    outside.mkdir()
    shutil.copytree(own.file("log"), outside / "log")
    shutil.copy(own.file("case.json"), outside)
    shutil.rmtree(own.custody)
    checked = own.run("case", "verify", outside / "case.json", "--log", outside / "log", "--json", at=outside)
    assert checked.code == 0, checked.out
    assert {
        name: checked.json[name] for name in ("ok", "figures_agree", "cells_opened", "log_proved")
    } == dict.fromkeys(("ok", "figures_agree", "cells_opened", "log_proved"), True)
    assert checked.json["bits_proved"] is False


def test_with_four_eyes_an_answer_is_held_until_a_second_analyst_agrees(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "four").founded(four_eyes=True)
    second, own_place = "second@custodian.example", "Custodian"
    scene.done("institution", "add", own_place, "--country", "GB")
    scene.done("person", "add", second, "--institution", own_place, "--role", "custodian")
    token = scene.done("token", "add", second).json["token"]

    def by_second(*words: str | Path) -> object:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("COPYHOLD_TOKEN", token)
            return scene.done(*words, "--as", second).json

    scene.dataset(people(1_500), dictionary())
    by_second("dataset", "confirm", "NHANES")
    lead = LEADS[HEART]
    scene.done("institution", "add", "Harbour", "--country", "GB")
    scene.done("person", "add", lead, "--institution", "Harbour")
    applied = ("--lead", lead, "--dataset", "NHANES", "--purpose", "HMB", "--until", "2099-01-01")
    scene.done("project", "add", HEART, *applied)
    by_second("project", "approve", HEART)
    for clock, of in (("ethics", HEART), ("agreement", HEART), ("training", lead)):
        scene.done("record", clock, of, "--until", "2099-01-01")
    words = ("--to", lead, "--open", "--out", scene.file("heart.parquet"), "--waiver", "a test's copy")
    asked = scene.done("release", "make", HEART, *words).json
    by_second("release", "approve", asked["release"])
    scene.done("release", "make", HEART, *words)
    leak = scene.leak(rows(scene, HEART))
    held = scene.run("trace", leak, "--report", scene.file("held.html"), "--json")
    assert (held.code, held.json["verdict"]) == (0, "held")
    assert set(held.json) == {"verdict", "case", "report"}
    assert "Heart" not in scene.file("held.html").read_text()
    assert scene.run("case", "agree", held.json["case"], "--json").code == 3
    assert scene.done("case", "show", held.json["case"]).json["verdict"] == "held"
    agreed = by_second("case", "agree", held.json["case"])
    assert named(agreed) == [HEART]
    assert named(scene.done("case", "show", held.json["case"]).json) == [HEART]


def test_what_cannot_be_read_costs_no_attempt(own: Scene) -> None:
    own.file("noise.xlsx").write_bytes(b"PK\x03\x04 no workbook")
    broken = own.run("trace", own.file("noise.xlsx"), "--json")
    assert (broken.code, broken.json["verdict"], broken.json["case"]) == (2, "unreadable", None)
    assert own.cases == 0


@pytest.mark.parametrize("count", [6, 30, 300])
def test_rows_of_other_people_are_not_ours_clear_nobody_and_cost_no_attempt(own: Scene, count: int) -> None:
    strangers = own.leak(people(count, skipped=5_000), "strangers.csv")
    ended = own.run("trace", strangers, "--report", own.file("report.html"), "--json")
    assert (ended.code, ended.json["verdict"]) == (0, "not_ours")
    assert (ended.json["attempt"], ended.json["case"], own.cases) == (None, None, 0)
    assert "nobody is cleared" in own.file("report.html").read_text()


def test_a_few_rows_of_ours_among_those_of_others_are_found_and_lead_to_their_holder(own: Scene) -> None:
    mine = rows(own, HEART)
    others = people(40, skipped=5_000).select(mine.columns).cast(dict(mine.schema))
    ended = own.run("trace", own.leak(pl.concat([mine, others]).sample(fraction=1.0, shuffle=True, seed=1)), "--json")
    assert (ended.code, named(ended.json)) == (4, [HEART])


def test_the_unmarked_original_is_told_as_such(own: Scene) -> None:
    ended = own.run("trace", own.leak(people().sample(30, seed=3)), "--json")
    assert (ended.code, ended.json["verdict"], ended.json["named"]) == (0, "unmarked_original", [])


def enough(scene: Scene, some: pl.DataFrame, folder: Path) -> int:
    """How many of some rows name their holder: the keys are new in each run, so no number of rows is right for all."""
    with scene.taken(folder) as other:
        for count in range(14, some.height, 3):
            if other.run("trace", other.leak(some[:count]), "--json").code == 4:
                return count
    pytest.fail("no number of rows was enough")


def test_two_files_too_small_alone_name_their_holder_together(own: Scene, tmp_path: Path) -> None:
    some = rows(own, HEART, 90).select("SEQN", "RIDAGEYR", "BMXWT", "BMXHT", "LBXSGL", "LBXTC")
    count = enough(own, some, tmp_path / "other") + 6  # and something over, as each attempt asks for more
    first, second = own.leak(some[: count // 2], "first.csv"), own.leak(some[count // 2 : count], "second.csv")
    for one in (first, second):
        ended = own.run("trace", one, "--json")
        assert (ended.code, ended.json["verdict"]) == (0, "ours_cannot_tell")
    both = own.run("trace", first, second, "--json")
    assert (both.code, named(both.json), both.json["rows_in"]) == (4, [HEART], count)
    assert both.json["attempt"] == 3


def markdown(frame: pl.DataFrame) -> str:
    lines = [frame.columns, ["---"] * frame.width, *frame.rows()]
    return "\n".join(f"| {' | '.join('' if one is None else str(one) for one in line)} |" for line in lines)


def html(frame: pl.DataFrame) -> str:
    lines = ["".join(f"<td>{'' if one is None else one}</td>" for one in row) for row in frame.rows()]
    head = "".join(f"<th>{name}</th>" for name in frame.columns)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<html><body><p>Fresh data, ask for more.</p><table><tr>{head}</tr>{body}</table></body></html>"


def test_rows_in_a_forum_post_a_web_page_and_a_workbook_are_traced(own: Scene) -> None:
    shown = rows(own, HEART, 15).drop("SEQN", "CYCLE")
    own.file("post.txt").write_text(f"Selling patient data, sample:\n\n{markdown(shown)}\n\nPM me.\n")
    own.file("page.html").write_text(html(shown))
    book = openpyxl.Workbook()
    for line in (shown.columns, *shown.rows()):
        book.active.append(list(line))
    book.save(own.file("book.xlsx"))
    for name in ("post.txt", "page.html", "book.xlsx"):
        ended = own.run("trace", own.file(name), "--json")
        assert (ended.code, named(ended.json), ended.json["rows_in"]) == (4, [HEART], 15), name


def test_rows_of_participants_who_withdrew_lead_to_the_copy_that_still_held_them(own: Scene) -> None:
    heart = copy(own, HEART)
    gone = people().sample(40, seed=5)
    own.file("gone").write_text("\n".join(str(one) for one in gone["SEQN"]))
    own.done("withdraw", "NHANES", "--ids", own.file("gone"))
    later = pl.read_parquet(own.copy(BONE, "later.parquet"))
    assert later.height == heart.height - 40
    theirs = [place for place, one in enumerate(people()["SEQN"]) if one in set(gone["SEQN"])]
    ended = own.run("trace", own.leak(heart[theirs[:20]]), "--json")
    assert (ended.code, named(ended.json)) == (4, [HEART])
    ended = own.run("trace", own.leak(later.sample(20, seed=2)), "--json")
    assert (ended.code, named(ended.json)) == (4, [BONE])


def test_a_refreshed_version_and_the_one_before_are_both_traced(own: Scene) -> None:
    before = people()
    changed = before.with_columns(
        pl.when(pl.int_range(pl.len()) % 10 == 0)
        .then(pl.col("LBXTC").reverse())
        .otherwise(pl.col("LBXTC"))
        .alias("LBXTC")
    )
    own.dataset(pl.concat([changed[200:], people(100, skipped=3_000)]), dictionary())
    second = pl.read_parquet(own.copy(HEART, "second.parquet"))
    assert second.height == 2_900
    told = own.run("trace", own.leak(second.sample(20, seed=4)), "--json")
    assert (told.code, named(told.json), told.json["version"]) == (4, [HEART], 2)
    assert len(told.json["named"][0]["releases_consistent"]) >= 1
    first = copy(own, HEART)[:200].sample(20, seed=4)  # rows that the second version holds no more
    told = own.run("trace", own.leak(first), "--json")
    assert (told.code, named(told.json), told.json["version"]) == (4, [HEART], 1)


def test_rows_that_a_party_never_held_do_not_name_it_though_they_carry_its_marks(own: Scene) -> None:
    """Somebody with the key store forges: the young people in the marks of the project that got the old ones alone."""
    young = np.flatnonzero((people()["RIDAGEYR"] < 50).to_numpy())[:40]
    for project, expected in ((AGE, []), (HEART, [HEART])):
        forged = own.run("trace", own.leak(forged_rows(own, project, young)), "--json")
        assert named(forged.json) == expected, project


def forged_rows(scene: Scene, project: str, places: NDArray[np.int64]) -> pl.DataFrame:
    """Mark rows of the master under a project's keys, whatever it was given."""
    copies = tracing.register(scene.occasion()).copies
    release = next(one.release for one in copies if one.project_name == project)
    order = releases.order(scene.occasion(), release)
    embedding = Copying(order, scene.home.outside).embedding("people")
    master = pq.read_table(
        scene.home.outside.storage.path(order.version.tables[0].sha256), columns=list(embedding.inputs)
    )
    (batch,) = master.take(pa.array(places)).combine_chunks().to_batches()
    return cast(pl.DataFrame, pl.from_arrow(embedding.mark(batch)))


def test_the_cells_of_a_public_case_frame_nobody_and_other_rows_still_lead_to_the_holder(own: Scene) -> None:
    held = rows(own, HEART, 40)
    first = own.run("trace", own.leak(held[:20]), "--json").json
    assert named(first) == [HEART]
    own.done("case", "show", first["case"], "--file", own.file("case.json"))
    framing = own.leak(published_cells(own.file("case.json"), held[:20]), "framing.csv")
    assert named(own.run("trace", framing, "--json").json) == [HEART]  # while nobody but the custodian can make it
    public = own.done("case", "publish", first["case"], "--note", "handed to the police").json
    assert public["published_at"]
    assert own.run("case", "publish", first["case"]).code == 3
    for spent in (framing, own.file("leak.csv")):
        ended = own.run("trace", spent, "--json")
        assert (ended.code, ended.json["verdict"], ended.json["named"]) == (0, "ours_cannot_tell", [])
    other = own.run("trace", own.leak(held, "more.csv"), "--report", own.file("more.html"), "--json")
    assert (other.code, named(other.json)) == (4, [HEART])
    assert other.json["named"][0]["cells"] < 0.7 * len(json.loads(own.file("case.json").read_text())["cells"]) * 2
    assert f"Case {first['case']}, which names this party, has been public since" in own.file("more.html").read_text()


def published_cells(case: Path, shown: pl.DataFrame) -> pl.DataFrame:
    """Put together what anybody can from a case file: the cells in it, beside what is known from elsewhere."""
    document = json.loads(case.read_text())
    reading = document["alternatives"][0]["reading"]
    place = {tuple(cell): bit for cell, bit in zip(document["cells"], document["names"][0]["bits"], strict=True)}
    told: dict[tuple[str, str], float] = {}
    addresses = zip(reading["table"], reading["row"], reading["column"], strict=True)
    for cell, address in enumerate(addresses):
        field = reading["channels"][reading["channel"][cell]]["field"]
        told[address[1], field] = reading["high" if place[address] == "1" else "low"][cell]
    rows_of = list(dict.fromkeys(row for row, _ in told))
    known = shown.select("CYCLE", "RIAGENDR", "RIDAGEYR", "RIDRETH1", "DMDEDUC2", "LBXSATSI", "LBXSBU", "LBXSUA")
    fields = list(dict.fromkeys(field for _, field in told))
    cells = pl.DataFrame({field: [told.get((row, field)) for row in rows_of] for field in fields}, strict=False)
    return pl.concat([known, cells], how="horizontal")


def test_the_case_file_is_canonical_json_and_names_no_other_party(own: Scene) -> None:
    told = own.run("trace", own.leak(rows(own, AGE)), "--json").json
    assert named(told) == [AGE]
    own.done("case", "show", told["case"], "--file", own.file("case.json"))
    document = json.loads(own.file("case.json").read_text())
    assert [one["project"] for one in document["names"]] == [AGE]
    assert not any(one in own.file("case.json").read_text() for one in (HEART, BONE, "Harbour", "Valley"))
