"""What a case file shows of the log: the entries that it needs, proven, and no other."""

from pathlib import Path

import pytest

from copyhold.actions import log
from copyhold.auditlog.disclosures import check
from copyhold.domain.log import Statement
from copyhold.domain.verdicts import Refused
from copyhold.jobs import log as publishing
from copyhold.ports import Home
from tests import make
from tests.world import World


def home(world: World, directory: Path) -> Home:
    occasion = world.by()
    return Home(directory, occasion.actor, lambda: world.by().at, world.outside)


def test_an_outsider_is_shown_a_partys_key_commitment_and_nothing_else_about_the_party(
    world: World, tmp_path: Path
) -> None:
    copy = make.release(world)
    make.version(world, name="Other")
    told = [log.open_entry(world.by(), entry.seq) for entry in log.about(world.by(), copy.party)]
    (committed,) = [one.payload for one in told if one.entry.type == "key.committed"]
    facts = committed["facts"]
    assert isinstance(facts, dict)
    statement = Statement("key.committed", copy.party, {"commitment": facts["commitment"]})
    absent = Statement("key.committed", copy.party, {"commitment": "00" * 32})
    shown = publishing.disclosed(home(world, tmp_path), world.by, [[statement], [absent]])
    vkey = (tmp_path / "log" / "vkey").read_text().strip()
    found = check(shown, [[statement]], vkey, tmp_path / "log")
    assert (found.proved, found.payloads) == (True, (committed,))
    assert not check(shown, [[statement], [absent]], vkey).proved


def test_a_researcher_is_shown_nothing_of_the_log(world: World, tmp_path: Path) -> None:
    copy = make.release(world)
    with pytest.raises(Refused):
        publishing.disclosed(
            home(world, tmp_path), lambda: world.by(copy.holder), [[Statement("release.issued", copy.id, {})]]
        )
