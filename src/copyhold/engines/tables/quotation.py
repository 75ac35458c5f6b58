"""Quotation marks in delimited text, followed strictly.

Parsers are lenient: a mark that opens a cell and is never closed swallows the rows up to the next mark, without a
word. `QuotationCheck` goes over the same bytes and stops there. RFC 4180: a quoted cell begins right after a
delimiter or a line end, ends right before one, and doubles the marks inside. A mark inside an unquoted cell (5'11")
is a letter like any other, as it is for the parser.
"""

import numpy as np
from numpy.typing import NDArray

_QUOTE = 0x22
_LINE_ENDS = (0x0A, 0x0D)


class QuotationCheck:
    """Follow the quotation marks of a text over its blocks.

    `inside` says whether the text so far ends inside a quoted cell, `opening` where in the block before last seen
    that cell began, `seen` whether there was any mark.
    """

    def __init__(self, delimiter: str) -> None:
        self._edges = np.zeros(256, dtype=bool)
        self._edges[[ord(delimiter), *_LINE_ENDS]] = True
        self._last = _LINE_ENDS[0]  # the byte before the block: a file begins like a line
        self._closing = False  # the block before ended with a mark inside a quoted cell
        self.inside = False
        self.opening = 0
        self.seen = False

    def add(self, block: bytes) -> int | None:
        """Take the next block (not empty); return the offset of a mark after which a quoted cell goes on, or None."""
        letters = np.frombuffer(block, dtype=np.uint8)
        if self._closing:
            letters = np.concatenate([np.array([_QUOTE], dtype=np.uint8), letters])
        shift, self._closing = int(self._closing), False
        marks = np.flatnonzero(letters == _QUOTE)
        before, self._last = self._last, int(letters[-1])
        if not len(marks):
            return None
        self.seen = True
        if self._tidy(letters, marks, before):
            return None
        found = self._followed(letters, marks, before)
        return None if found is None else max(0, found - shift)

    @property
    def unclosed(self) -> bool:
        """Whether, at the end of the text, a quoted cell was left open."""
        return self.inside and not self._closing

    def _tidy(self, letters: NDArray[np.uint8], marks: NDArray[np.intp], before: int) -> bool:
        """The common case in whole arrays: marks open and close by turns, each where it may."""
        first = 1 if self.inside else 0
        opening, closing = marks[first::2], marks[1 - first :: 2]
        if len(closing) and closing[-1] == len(letters) - 1:
            return False  # what follows is in the next block
        previous = letters[opening - 1]
        if len(opening) and opening[0] == 0:
            previous[0] = before
        following = letters[closing + 1]
        orderly = self._edges[previous] | (previous == _QUOTE)
        if not orderly.all() or not (self._edges[following] | (following == _QUOTE)).all():
            return False
        self.inside = self.inside != bool(len(marks) % 2)
        self.opening = int(opening[-1]) if len(opening) else self.opening
        return True

    def _followed(self, letters: NDArray[np.uint8], marks: NDArray[np.intp], before: int) -> int | None:
        """Any case, mark by mark."""
        pair = -1
        for mark in marks.tolist():
            if mark == pair:
                continue
            if not self.inside:
                self.inside = bool(self._edges[letters[mark - 1] if mark else before])
                self.opening = mark
            elif mark == len(letters) - 1:
                self._closing = True
            elif letters[mark + 1] == _QUOTE:
                pair = mark + 1
            elif self._edges[letters[mark + 1]]:
                self.inside = False
            else:
                return int(mark)
        return None
