"""The process dies at the worst moment, and again while it recovers: nothing acknowledged is lost."""

import os
from itertools import count
from pathlib import Path

import pytest

from copyhold.auditlog.publishing import Publisher
from copyhold.auditlog.verification import verify
from tests.unit.auditlog.ledger import SIGNER, VKEY, crashes, published, shown_size, words


@pytest.mark.attack
def test_a_crash_during_the_recovery_from_a_crash_loses_nothing_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    for first in count():
        crashed = False
        for second in count():
            log = tmp_path / f"{first}-{second}"
            ledger = published(log, words(254))
            ledger.leaves = words(257)
            crashed = crashes(log, ledger, first)
            shown = shown_size(log)
            crashed_again = crashes(log, ledger, second)
            assert shown <= shown_size(log)
            assert Publisher(log, SIGNER, ledger).publish().size == 257
            assert verify(log, VKEY, leaves=False).problems == ()
            if not crashed_again:
                break
        if not crashed:
            return
