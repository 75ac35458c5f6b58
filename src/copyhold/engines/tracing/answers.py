"""What parties answered from their keys, kept for the next stage of an attempt, which asks the same again.

Answers depend on keys and on what was asked, never on what a leak shows, and live as long as the attempt's parties do.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_BYTES = 1 << 27  # the bits of 50,000 keys at 20,000 cells

Bools = NDArray[np.bool_]


@dataclass
class Answered:
    """Answers of yes and no, packed eight to a byte.

    An answer is known by what was asked, and by the places of the parties asked, in their order. What would go beyond
    MOST_BYTES is not kept, and is worked out again.
    """

    size_bytes: int = 0
    _packed: dict[bytes, NDArray[np.uint8]] = field(default_factory=dict, repr=False)

    def once(
        self, what: str, asked: Sequence[NDArray[Any]], places: NDArray[np.intp], work: Callable[[], Bools]
    ) -> Bools:
        """Return an answer, bool (parties, asked), worked out where it is not known."""
        question = _question(what, (*asked, places))
        if question in self._packed:
            return np.unpackbits(self._packed[question], axis=1, count=len(asked[0])).view(np.bool_)
        answer = work()
        packed = np.packbits(answer, axis=1)
        if self.size_bytes + packed.nbytes <= MOST_BYTES:
            self._packed[question] = packed
            self.size_bytes += packed.nbytes
        return answer


def _question(what: str, asked: Sequence[NDArray[Any]]) -> bytes:
    """Tell a question from every other: each array behind its length, so that no two lists have the same bytes."""
    digest = hashlib.sha256(what.encode())
    for one in asked:
        digest.update(one.nbytes.to_bytes(8))
        digest.update(np.ascontiguousarray(one).data)
    return digest.digest()
