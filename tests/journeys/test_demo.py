"""The demonstration: the main job on real data, as `make demo` and a plain installation run it."""

import json
from pathlib import Path

import copyhold as library
import tests.world  # noqa: F401 - rows can be imported only once Django is set up
from copyhold.entrypoints.cli.demonstration import HOLDERS, VALMONT
from tests.entrypoints.conftest import Command, copyhold

__all__ = ["copyhold"]


def test_the_demonstration_names_the_institution_whose_copy_leaked(copyhold: Command, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    ended = copyhold("demo", folder, "--json")
    assert ended.code == 0, ended.err
    told = ended.json
    assert set(told) == {"custody", "dataset", "releases", "leak", "trace", "report", "seconds"}
    assert [one["institution"] for one in told["releases"]] == [one.institution for one in HOLDERS]
    assert all(Path(one["path"]).exists() for one in told["releases"])
    trace = told["trace"]
    assert trace["verdict"] == "named"
    assert [one["institution"] for one in trace["named"]] == [VALMONT.institution]
    assert trace["named"][0]["releases_consistent"] == [told["releases"][-1]["release"]]
    assert trace["named"][0]["p_family"] < 1e-9
    assert (trace["rows_in"], trace["rows_aligned"]) == (60, 60)
    assert {one["field"]: one["conversion"] for one in trace["columns"]}["LBXSGL"].startswith("mg/dL -> mmol/L")
    assert VALMONT.institution in Path(told["report"]).read_text(encoding="utf-8")
    assert "is refused" in ended.err
    assert "held; once the second analyst agrees: named" in ended.err
    assert copyhold("log", "verify", folder).code == 0

    custody = library.open(folder)
    again = custody.trace(told["leak"])
    assert again["verdict"] == "named"
    assert again["attempt"] == 2
    assert custody.why(VALMONT.lead, VALMONT.project)["allowed"] is False
    assert len(custody.releases()) == 3
    assert json.dumps(custody.status())
    assert repr(custody) == f"Custody({str(folder)!r})"


def test_a_folder_that_holds_something_is_left_as_it_is(copyhold: Command, tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "mine.txt").write_text("keep")
    ended = copyhold("demo", tmp_path / "demo")
    assert ended.code == 2
    assert [one.name for one in (tmp_path / "demo").iterdir()] == ["mine.txt"]
