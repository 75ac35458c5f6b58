"""Keep every copy of sensitive research data on terms, on the record and traceable."""

from os import PathLike
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from copyhold.entrypoints.library.custody import Custody


def open(directory: str | PathLike[str] | None = None) -> "Custody":  # noqa: A001 - as a reader would say it
    """Open a custody by its folder; without one the nearest above the working folder, as the command line does.

    Raises:
        NotFoundError: there is no custody.
    """
    from copyhold.config.start import custody

    return custody(directory)
