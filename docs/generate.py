"""Write the generated pages of docs/reference again: `make docs`, or `python -m docs.generate`.

A page is made from the code alone, so that it cannot tell of what is not there; `tests/architecture/test_docs.py`
makes every page anew and fails where the file is another. What is not in the code (what an exit code means, what an
environment variable is for) stands in the page's own module, which fails where something has no words.
"""

from collections.abc import Callable
from pathlib import Path

from copyhold.config import wiring

wiring.prepare()  # actions, and with them commands, can be imported only once Django is set up

from docs.pages import actions, commands, entries, errors, settings, states  # noqa: E402 - see above

REFERENCE = Path(__file__).resolve().parent / "reference"
PAGES: dict[str, Callable[[], str]] = {
    "actions.md": actions.page,
    "commands.md": commands.page,
    "entries.md": entries.page,
    "errors.md": errors.page,
    "settings.md": settings.page,
    "states.md": states.page,
}


def main() -> None:
    """Write every page."""
    REFERENCE.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
