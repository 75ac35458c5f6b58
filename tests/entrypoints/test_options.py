"""Global options stand before or after a command."""

from pathlib import Path

import pytest

from copyhold.domain.errors import InvalidInputError
from copyhold.entrypoints.cli.options import Options, split


@pytest.mark.parametrize(
    "words",
    [
        ["--custody", "here", "--json", "trace", "a.csv"],
        ["trace", "a.csv", "--json", "--custody=here"],
        ["trace", "--custody", "here", "a.csv", "--json"],
    ],
)
def test_a_global_option_may_stand_anywhere(words: list[str]) -> None:
    assert split(words) == (Options(custody=Path("here"), json=True), ["trace", "a.csv"])


def test_what_stands_behind_two_dashes_is_left_alone() -> None:
    assert split(["scan", "--", "--json"]) == (Options(), ["scan", "--", "--json"])


@pytest.mark.parametrize("word", ["--as", "--custody", "--as="])
def test_an_option_without_its_value_is_told(word: str) -> None:
    with pytest.raises(InvalidInputError, match="takes a value"):
        split(["status", word])
