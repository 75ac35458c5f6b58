"""Processes die while they act, or act all at once: nothing acknowledged is lost, and the log tells one order."""

import contextlib
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from copyhold.actions import catalogue, incidents, log, parties, releases
from copyhold.auditlog.entries import Leaf
from copyhold.auditlog.verification import verify
from copyhold.domain.paging import Window
from copyhold.domain.parties import Person
from copyhold.domain.projects import Project
from copyhold.domain.releases import OUTSIDE
from copyhold.domain.verdicts import Refused
from copyhold.jobs.log import KEY_FILE, publish
from copyhold.ports import Home
from tests import make
from tests.attacks.processes import ended, in_a_child, kill_after, until
from tests.world import World


def home(world: World, folder: Path) -> Home:
    return Home(folder, world.by().actor, lambda: world.by().at, world.outside)


def act_for_ever(world: World, project: Project, lead: Person, folder: Path) -> None:
    """Act and publish without end, acknowledging each thing by a line in a file."""
    with (folder / "acknowledged").open("ab", buffering=0) as acknowledged:

        def done(entry: str, identifier: str) -> None:
            acknowledged.write(f"{entry} {identifier}\n".encode())

        while True:
            done("party.institution_added", make.institution(world, name=os.urandom(8).hex()).id)
            requested = releases.request(world.by(), project.name, lead.email)
            done("release.requested", requested.id)
            order = releases.begin(world.by(), requested.id)
            done("release.begun", requested.id)
            done("release.issued", releases.issue(world.by(), requested.id, make.release_result(order)).id)
            publish(home(world, folder))


def live_and_die(world: World, project: Project, lead: Person, folder: Path, after: float) -> None:
    """Let a process act until it has acknowledged something, and a while longer; then kill it."""
    file = folder / "acknowledged"
    before = file.stat().st_size if file.exists() else 0
    child = in_a_child(lambda: act_for_ever(world, project, lead, folder))
    until(lambda: file.exists() and file.stat().st_size > before)
    kill_after(child, after)
    assert ended(child) == -signal.SIGKILL


def told(world: World) -> list[tuple[str, str]]:
    """Every entry's type and subject, after a look at each leaf; a gap would raise."""
    rows, found = log.rows(world.by(), 0, 10**6), []
    for row in rows:
        assert Leaf.decode(row.leaf).seq == row.seq
        entry = log.open_entry(world.by(), row.seq).entry
        found.append((entry.type, entry.subject))
    assert len(rows) == log.size(world.by())
    return found


def issued(world: World) -> set[str]:
    found, window = set(), Window(500)
    while True:
        page = releases.listing(world.by(), window)
        found |= {str(copy.id) for copy in page.items if copy.state in OUTSIDE}
        if page.older is None:
            return found
        window = Window(500, page.older)


def survive(world: World, folder: Path, kills: int) -> None:
    lead = make.person(world)
    project = make.running_project(world, lead=lead)
    drawn, notes = np.random.default_rng(5), list[str]()
    for _ in range(kills):
        live_and_die(world, project, lead, folder, float(drawn.uniform(0, 0.05)))
        world.later(minutes=1)
        shown = publish(home(world, folder))
        assert shown.size == log.size(world.by())
        if notes:
            vkey = (folder / "log" / KEY_FILE).read_text().strip()
            assert verify(folder / "log", vkey, since=notes[-1]).problems == ()
        notes.append(shown.note)
    entries = told(world)
    acknowledged = [tuple(line.split(" ")) for line in (folder / "acknowledged").read_text().splitlines()]
    assert len(acknowledged) >= kills
    assert set(acknowledged) <= set(entries)
    # And the other way: no row without its entry, no entry without its row.
    assert issued(world) == {subject for entry, subject in entries if entry == "release.issued"}
    institutions = {str(one.id) for one in parties.institutions(world.by())}
    assert institutions == {subject for entry, subject in entries if entry == "party.institution_added"}


def test_ten_killings_lose_nothing_acknowledged(world: World, tmp_path: Path) -> None:
    survive(world, tmp_path, 10)


@pytest.mark.attack
def test_a_thousand_killings_lose_nothing_acknowledged(world: World, tmp_path: Path) -> None:
    survive(world, tmp_path, 1_000)


def test_processes_that_act_at_once_leave_one_order_without_a_gap(world: World) -> None:
    def act(number: int) -> None:
        world.later(seconds=number)
        for _ in range(8):
            make.person(world, at=parties.institutions(world.by())[0], email=f"{os.urandom(6).hex()}@example.org")

    make.institution(world)
    before = log.size(world.by())
    children = [in_a_child(lambda number=number: act(number)) for number in range(4)]  # type: ignore[misc]
    assert [ended(child) for child in children] == [0] * 4
    entries = [entry for entry, _ in told(world)[before:]]
    assert entries == ["party.person_added", "access.recorded"] * 32


def test_no_copy_is_issued_after_the_entry_that_suspends_its_holder(world: World, tmp_path: Path) -> None:
    """The order in which acts decide is the order in which the log tells them."""
    lead = make.person(world)
    project = make.running_project(world, lead=lead)

    def issue_all() -> None:
        with contextlib.suppress(Refused):
            while True:
                make.release(world, project=project, to=lead)

    child = in_a_child(issue_all)
    until(lambda: "release.issued" in {Leaf.decode(row.leaf).type for row in log.rows(world.by(), 0)})
    incidents.suspend(world.by(), "person", lead.email)
    catalogue.withdraw(world.by(), "NHANES", ("1",))
    assert ended(child) == 0
    entries = [entry for entry, _ in told(world)]
    suspended = entries.index("incident.suspended")
    assert entries[:suspended].count("release.issued") > 0
    assert "release.issued" not in entries[suspended:]
    assert entries[suspended:].count("release.refused") == 1
