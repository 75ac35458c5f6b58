"""The few forms of Markdown that generated pages are made of."""

from collections.abc import Iterable, Sequence

WRITTEN = "Written by `python -m docs.generate` from the code; change the code, not this page."


def page(title: str, told: str, *parts: str) -> str:
    """Put a page together: its title, one paragraph of what it tells, and its parts."""
    return "\n\n".join([f"# {title}", WRITTEN, told, *parts]) + "\n"


def table(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a table; a cell's line ends become spaces."""
    lines = [_row(heading), _row(["---"] * len(heading)), *(_row(row) for row in rows)]
    return "\n".join(lines)


def code(text: object) -> str:
    """Set as code what is not empty."""
    return f"`{text}`" if str(text) else ""


def first_sentence(docstring: str | None) -> str:
    """Give the first line of a docstring, which says what a thing is or does."""
    return (docstring or "").strip().partition("\n")[0]


def _row(cells: Sequence[object]) -> str:
    return "| " + " | ".join(" ".join(str(cell).replace("|", "\\|").split()) for cell in cells) + " |"
