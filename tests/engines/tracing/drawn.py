"""Readings drawn for tests: everything optional, small by default, sound unless a test says otherwise."""

from typing import Any

import numpy as np

from copyhold.engines.reading.readings import Channel, Reading

CLEAN = Channel("glucose", "GLU", grid=0.1, sigmas=(0.0,), weights=(1.0,), width=20.0)


def reading(cells: int = 3, groups: int = 1, **given: Any) -> Reading:
    """Draw a reading of `cells` cells over `groups` groups of one candidate each, all showing the higher member."""
    candidate = np.arange(cells) * groups // max(cells, 1)
    low = 5.0 + 0.1 * np.arange(cells)
    arrays: dict[str, Any] = {
        "neutral": np.zeros(groups),
        "candidate_group": np.arange(groups),
        "candidate_row": 100 + np.arange(groups),
        "participant": 1000 + np.arange(groups),
        "candidate_weight": np.ones(groups),
        "cell_candidate": candidate,
        "table": np.ones(cells),
        "row": 100 + candidate,
        "column": np.arange(cells),
        "threshold": np.full(cells, 32768),
        "low": low,
        "high": low + 0.1,
        "original_high": np.zeros(cells, dtype=bool),
        "institution": np.zeros(cells, dtype=bool),
        "channel": np.zeros(cells, dtype=int),
        "observation_cell": np.arange(cells),
        "observation": low + 0.1,
        "id_candidate": np.zeros(0),
        "id_value": np.zeros(0),
        "loose_id": np.zeros(0),
        "date_candidate": np.zeros(0),
        "date_unit": np.zeros(0),
        "date_shift": np.zeros(0),
        "channels": (CLEAN,),
    }
    return Reading(**(arrays | given))
