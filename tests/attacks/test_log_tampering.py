"""A custodian's administrator, or a thief of the disk, changes the log after the fact.

Bits flipped anywhere, one at a time: none may pass. What a rewriting under the log's own key leaves behind, and what
finds it, stands in tests/unit/auditlog/test_verification.py.
"""

from pathlib import Path

import numpy as np
import pytest

from copyhold.auditlog.publishing import Publisher
from copyhold.auditlog.verification import verify
from copyhold.domain.errors import IntegrityError
from tests.attacks.site import Site, copyhold, custody, site
from tests.unit.auditlog.ledger import SIGNER, VKEY, MemoryLedger, draw_leaves, flip, published, survivors

__all__ = ["copyhold", "custody", "site"]


@pytest.mark.attack
def test_none_of_five_thousand_flipped_bits_survives(tmp_path: Path) -> None:
    published(tmp_path / "log", draw_leaves(700), 1, 10, 200, 256, 300, 513, 600)
    assert verify(tmp_path / "log", VKEY).ok
    assert survivors(tmp_path / "log", flips=5_000, seed=9162) == []
    assert verify(tmp_path / "log", VKEY).ok


@pytest.mark.attack
def test_an_entry_rewritten_in_rows_and_files_alike_is_refused_by_its_own_publisher(tmp_path: Path) -> None:
    for place in (0, 255, 256, 599):
        log = tmp_path / str(place)
        ledger = published(log, draw_leaves(600))
        rewritten = list(ledger.leaves)
        rewritten[place] = rewritten[place].replace(b"release.issued", b"release.denied")
        forged = published(tmp_path / f"forged-{place}", rewritten)
        for file in (tmp_path / f"forged-{place}/tile").rglob("*"):
            if file.is_file():
                (log / file.relative_to(tmp_path / f"forged-{place}")).write_bytes(file.read_bytes())
        assert not verify(log, VKEY).ok
        spoilt = MemoryLedger([*rewritten, *draw_leaves(601)[600:]])
        spoilt.signed = ledger.signed
        with pytest.raises(IntegrityError, match=r"contradicts itself|other bytes"):
            Publisher(log, SIGNER, spoilt).publish()
        assert forged.signed[600].root != ledger.signed[600].root


@pytest.mark.parametrize("flips", [100, pytest.param(4_000, marks=pytest.mark.attack)])
def test_a_flipped_bit_is_found_in_every_file_that_a_release_and_a_trace_published(site: Site, flips: int) -> None:
    assert site.run("trace", site.leak)["verdict"] == "named"
    folder, drawn = site.folder / "log", np.random.default_rng(17)
    files = sorted(one for one in folder.rglob("*") if one.is_file() and one.stat().st_size)
    assert {one.relative_to(folder).parts[0] for one in files} == {"checkpoint", "tile", "vkey"}
    for number in range(flips):
        file = files[number % len(files)]
        end = file.stat().st_size - (file.name == "vkey")  # the key is read without the space around it
        bit = int(drawn.integers(end * 8))
        flip(file, bit)
        assert site.copyhold("log", "verify", folder).code != 0, (file, bit)
        flip(file, bit)
    assert site.copyhold("log", "verify", folder).code == 0
