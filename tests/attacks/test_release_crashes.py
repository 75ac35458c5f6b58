"""Processes die while they make copies and trace leaks, as the commands do it, with real files.

After each killing the custody is opened again and everything is looked at: what was acknowledged is there; the log has
no gap and was not turned back; a copy stands at its place only if the register says issued, and is whole or told as
missing; nothing half-written is left; attempts stay counted, derivations too; no key is committed to twice.
"""

import hashlib
import io
import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from copyhold.actions import log, releases, tracing
from copyhold.auditlog.entries import Leaf
from copyhold.auditlog.verification import verify
from copyhold.config import start
from copyhold.domain.paging import Window
from copyhold.domain.releases import OUTSIDE, Release
from copyhold.jobs.log import KEY_FILE
from copyhold.ports import Occasion
from tests.attacks.processes import die_at, ended, in_a_child, kill_after, watched
from tests.attacks.site import Site, copyhold, custody, site

__all__ = ["copyhold", "custody", "site"]


def told(*words: str | Path) -> Any:
    """Run a command in a child; give its answer."""
    answer = io.StringIO()
    with redirect_stdout(answer):
        code = start.run([str(word) for word in (*words, "--json", "--quiet")])
    assert code in (0, 4), answer.getvalue()
    return json.loads(answer.getvalue())


def acknowledge(site: Site, entry: str, subject: str) -> None:
    with site.acknowledged.open("ab", buffering=0) as file:
        file.write(f"{entry} {subject}\n".encode())


def make_copies(site: Site) -> None:
    """Act and make a copy as CSV, one as Parquet, one in the custody's own folder."""
    added = told("institution", "add", f"University {time.time_ns()}", "--country", "GB")
    acknowledge(site, "party.institution_added", added["institution"]["id"])
    for out in (("--out", site.place(".csv")), ("--out", site.place(".parquet")), ()):
        acknowledge(site, "release.issued", told(*site.making, *out)["release"])


def trace(site: Site) -> None:
    acknowledge(site, "tracing.attempt_concluded", told("trace", site.leak)["case"])


def measured(site: Site, work: Callable[[Site], None]) -> tuple[int, float]:
    """Let some work end well; give how many things it asks of the file system, and how long it takes."""
    counted = site.folder.parent / "counted"
    started = time.monotonic()

    def run() -> None:
        asked = [0]
        watched(lambda number: asked.__setitem__(0, number))
        work(site)
        counted.write_text(str(asked[0]))

    assert ended(in_a_child(run)) == 0
    return int(counted.read_text()), time.monotonic() - started


def killings(site: Site, work: Callable[[Site], None], kills: int, seed: int) -> Iterator[int]:
    """Kill the work so often: in turn before a thing it asks of the file system, and at a moment."""
    drawn, (asked, seconds) = np.random.default_rng(seed), measured(site, work)
    for number in range(kills):
        if number % 2:
            child = in_a_child(lambda: work(site))
            kill_after(child, float(drawn.uniform(0, seconds)))
        else:
            place = int(drawn.integers(asked))
            child = in_a_child(lambda place=place: (die_at(place), work(site)))  # type: ignore[misc]
        code = ended(child)
        assert code in (-signal.SIGKILL, 0)  # it may have been quicker than the draw
        site.deaths += code != 0
        yield number
    assert site.deaths > kills / 2


def look(site: Site) -> None:
    """Open the custody after a killing, and look at everything that is new, and at everything that must not be."""
    size = _size_shown(site)
    assert size >= site.shown, "the checkpoint went back"
    site.run("status")  # opens, sweeps, and publishes what was not
    assert _unfinished(site) == []
    _look_at_the_log(site)
    home, occasion = site.home()
    _look_at_the_copies(site, _all(occasion))
    _look_at_the_cases(site, occasion)
    counted = {one.name: one.stat().st_size for one in (home.directory / "keys" / "derivations").iterdir()}
    assert all(counted[name] >= number for name, number in site.derivations.items())
    site.derivations = counted
    lines = [tuple(line.split(" ")) for line in site.acknowledged.read_text().splitlines()]
    assert set(lines) <= {(entry, subject) for entry, subject, _ in site.entries}
    assert {subject for entry, subject in lines if entry == "release.issued"} <= site.whole


def _size_shown(site: Site) -> int:
    return int((site.folder / "log" / "checkpoint").read_text().splitlines()[1])


def _unfinished(site: Site) -> list[Path]:
    spools, hidden = site.folder.glob(".spool-*"), [one for one in site.out.iterdir() if one.name.startswith(".")]
    return [*spools, *hidden, *(site.folder / "objects").glob("incoming-*")]


def _look_at_the_log(site: Site) -> None:
    folder = site.folder / "log"
    found = verify(folder, (folder / KEY_FILE).read_text().strip(), since=site.note)
    assert (found.problems, found.unsigned) == ((), 0)
    site.shown, site.note = found.size, (folder / "checkpoint").read_text()
    _, occasion = site.home()
    assert log.size(occasion) == found.size
    for row in log.rows(occasion, len(site.entries), 10**6):
        assert (row.seq, Leaf.decode(row.leaf).seq) == (len(site.entries), len(site.entries))
        opened = log.open_entry(occasion, row.seq)
        site.entries.append((opened.entry.type, opened.entry.subject, opened.payload["facts"]))
    assert len(site.entries) == found.size
    committed = [(subject, facts["epoch"]) for entry, subject, facts in site.entries if entry == "key.committed"]
    assert len(committed) == len(set(committed))


def _all(occasion: Occasion) -> list[Release]:
    found, window = list[Release](), Window(500)
    while True:
        page = releases.listing(occasion, window)
        found += page.items
        if page.older is None:
            return found
        window = Window(500, page.older)


def _look_at_the_copies(site: Site, registered: list[Release]) -> None:
    issued = {one.path: one for one in registered if one.state in OUTSIDE}
    assert {str(one.id) for one in issued.values()} == {
        subject for entry, subject, _ in site.entries if entry == "release.issued"
    }
    own = site.folder / "releases"
    there = {str(one) for one in (*site.out.iterdir(), *(own.iterdir() if own.exists() else ()))}
    assert there <= set(issued), "a copy stands at its place and is not on record"
    for path, release in issued.items():
        if release.id in site.whole | site.missing:
            assert (release.id in site.whole) == (path in there)
        elif path in there:
            assert hashlib.sha256(Path(path).read_bytes()).hexdigest() == release.sha256
            site.whole.add(release.id)
        else:
            assert site.copyhold("release", "verify", release.id).code == 2
            site.missing.add(release.id)


def _look_at_the_cases(site: Site, occasion: Occasion) -> None:
    cases = tracing.cases(occasion)
    assert sorted(one.attempt for one in cases) == list(range(1, len(cases) + 1))
    entered = {entry: {who for one, who, _ in site.entries if one == entry} for entry, _, _ in site.entries}
    assert {str(one.id) for one in cases} == entered.get("tracing.attempt_opened", set())
    concluded = {str(one.id) for one in cases if one.concluded_at is not None}
    assert concluded == entered.get("tracing.attempt_concluded", set())
    shown = {one["case"]: one["verdict"] for one in site.run("case", "list")["cases"]}
    assert shown == {str(one.id): "named" if str(one.id) in concluded else None for one in cases}


def survive_making(site: Site, kills: int) -> None:
    look(site)
    for number in killings(site, make_copies, kills, seed=41):
        look(site)
        if number % 8 == 7:
            site.new_project()
    _, occasion = site.home()
    committed = {
        (who, facts["epoch"]): facts["commitment"] for one, who, facts in site.entries if one == "key.committed"
    }
    for release in _all(occasion):
        if release.state in OUTSIDE:
            order = releases.order(occasion, release.id)
            assert committed[order.party, order.epoch] == order.commitment
    assert site.run("release", "verify", next(iter(sorted(site.whole))))["ok"]


def survive_tracing(site: Site, kills: int) -> None:
    look(site)
    for _ in killings(site, trace, kills, seed=43):
        look(site)
    attempts = sum(entry == "tracing.attempt_opened" for entry, _, _ in site.entries)
    last = site.run("trace", site.leak)
    assert (last["attempt"], last["verdict"]) == (attempts + 1, "named")
    keys, tries = last["parties_considered"], attempts + 1
    assert last["log10_threshold"] == pytest.approx(np.log10(keys * tries * (tries + 1) * 2 / 1e-9))


def test_eight_killings_leave_no_copy_that_is_not_on_record_and_none_that_is_half_written(site: Site) -> None:
    survive_making(site, 8)


def test_four_killings_of_a_trace_leave_its_attempts_counted_and_told_as_never_concluded(site: Site) -> None:
    survive_tracing(site, 4)


@pytest.mark.attack
def test_four_hundred_killings_leave_no_copy_that_is_not_on_record_and_none_that_is_half_written(site: Site) -> None:
    survive_making(site, 400)


@pytest.mark.attack
def test_two_hundred_killings_of_a_trace_leave_its_attempts_counted_and_told_as_never_concluded(site: Site) -> None:
    survive_tracing(site, 200)
