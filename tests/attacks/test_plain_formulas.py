"""The scorer against the printed formulas in plain Python, on leaks that use every part of them."""

from typing import Any

import numpy as np
import pytest

from copyhold.engines.reading.readings import Alternative
from copyhold.engines.tracing.casefile import Asked, hypothesis_document, reading_document
from copyhold.engines.tracing.hypotheses import prior
from tests.attacks import plain
from tests.attacks.instrument import Instrument
from tests.attacks.leaks import KINDS, Leak, draw, found_before, parties_of


@pytest.mark.parametrize("kind", KINDS)
def test_scorer_and_plain_formulas_agree(kind: str) -> None:
    for seed in range(3):
        leak, instrument = draw(kind, seed), Instrument()
        evidence, _ = instrument.evidence(leak)
        for one in np.random.default_rng(seed).choice(len(evidence), 2):
            assert evidence[one] == pytest.approx(plain_evidence(instrument, leak, int(one)), rel=1e-9, abs=1e-9)


def plain_evidence(instrument: Instrument, leak: Leak, one: int) -> float:
    readings = [Alternative(each.weight, instrument.half(each.reading)) for each in instrument.alternatives(leak)]
    asked, drawn = Asked.by(readings), instrument.draws(leak)
    case: dict[str, Any] = {
        "hypotheses": [hypothesis_document(each) for each in prior()],
        "alternatives": [{"weight": each.weight, "reading": reading_document(each.reading)} for each in readings],
        "id_space": "7",
        "seen": [],
        **asked.document(),
        "names": [],
    }
    if len(leak.named):
        named = parties_of(leak, found_before(leak))
        case["names"] = [asked.answers(named.select(np.array([each]))) for each in range(len(leak.named))]
    case["names"].append(asked.answers(instrument.parties(leak, drawn).select(np.array([one]))))
    return plain.log_evidence(case, len(leak.named))
