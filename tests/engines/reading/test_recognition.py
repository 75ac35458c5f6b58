"""Rows of other people align now and then; that a leak is ours takes one that leads by far, or many."""

import numpy as np
import pytest

from copyhold.engines.matching.margins import Margins
from copyhold.engines.matching.rows import Alignment
from copyhold.engines.matching.tables import Decoy, TableMatch
from copyhold.engines.reading.recognition import recognised
from copyhold.engines.reading.sighting import SightedTable, leaked_columns
from copyhold.engines.tables.reading import read_table

DECOYS = np.linspace(-10.0, 5.0, 200)  # the bar that one in a hundred reaches is just below 5


def aligned(scores: np.ndarray) -> Alignment:
    return Alignment(np.zeros(scores.shape, dtype=np.int64), scores)


def table(best: list[float], decoys: np.ndarray = DECOYS) -> SightedTable:
    """A leaked table of one column whose rows have these best scores."""
    scores = np.full((len(best), 8), -np.inf)
    scores[:, 0] = best
    match = TableMatch((), Margins({}), aligned(scores), (Decoy(np.arange(len(decoys)), aligned(decoys[:, None]), {}),))
    leak = "weight\n" + "".join(f"{row}.5\n" for row in range(len(best)))
    return SightedTable(1, leaked_columns(read_table(leak.encode(), name="leak.csv")), match, len(best))


@pytest.mark.parametrize(
    ("aligned", "rows", "ours"),
    [(0, 30, False), (1, 1, False), (3, 6, False), (6, 6, True), (12, 30, False), (15, 30, True), (60, 300, False),
     (85, 300, True)],
)  # fmt: skip
def test_more_rows_must_align_than_would_of_a_fifth_of_strangers(aligned: int, rows: int, ours: bool) -> None:
    assert recognised([table([7.0] * aligned + [-20.0] * (rows - aligned))]) == ours


@pytest.mark.parametrize(("lead", "ours"), [(12.3, False), (19.9, False), (20.1, True)])
def test_or_one_row_must_lead_every_decoy_row_by_twenty_nats(lead: float, ours: bool) -> None:
    assert recognised([table([5.0 + lead] + [-20.0] * 40)]) == ours


def test_one_table_of_several_is_enough_and_none_is_not() -> None:
    strange, ours = table([-20.0] * 10), table([60.0] * 10)
    assert recognised([strange, ours])
    assert not recognised([strange, strange])
    assert not recognised([])
    assert not recognised([table([60.0], np.empty(0))])
