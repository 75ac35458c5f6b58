"""Pages that stand alone: one HTML file with its style inside, no script and nothing fetched from anywhere.

* Every text is escaped here, once. What came from a leak may be hostile: characters that are not seen or that turn
  the direction of writing are shown by their number, and long names are cut.
* A page reads on paper as on a screen: light on paper always, light or dark on a screen as its reader set it.
* Each table has a caption and header cells that say what they head; each picture has a title and a text twin.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape

from copyhold.domain.words import rounded_up

MOST = 120  # characters shown of a name that somebody else chose
THIN = "\u202f"
UNSEEN = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}

STYLE = """
:root { color-scheme: light; --ink: #1d2a35; --faint: #56636e; --line: #c9d1d8; --paper: #fff; --tint: #f3f6f8;
  --strong: #1f5f8b; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 46rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .75rem; }
h2 { font-size: 1.2rem; margin: 2.25rem 0 .5rem; border-top: 1px solid var(--line); padding-top: .75rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; }
.finding { font-size: 1.15rem; border-left: 4px solid var(--strong); padding-left: .75rem; }
blockquote { margin: .5rem 0; padding: .5rem .75rem; background: var(--tint); border-left: 4px solid var(--line); }
table { border-collapse: collapse; width: 100%; margin: .75rem 0; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--faint); padding-bottom: .25rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .5rem .3rem 0; border-bottom: 1px solid var(--line); }
code, pre { font-family: ui-monospace, monospace; font-size: .9rem; }
pre { background: var(--tint); padding: .5rem .75rem; white-space: pre-wrap; }
figure { margin: 1rem 0; }
figure svg { width: 100%; height: auto; background: #fff; }
figcaption { color: var(--faint); }
.sign { border-bottom: 1px solid var(--line); padding-bottom: 2.5rem; color: var(--faint); }
@media screen and (prefers-color-scheme: dark) {
  :root { color-scheme: dark; --ink: #e8edf1; --faint: #a9b6c0; --line: #44525d; --paper: #14191d; --tint: #1e262c;
    --strong: #7ab8e0; }
}
@media print {
  @page { size: A4; margin: 18mm 16mm; }
  body { max-width: none; padding: 0; font-size: 10.5pt; }
  h2, h3, caption { break-after: avoid; }
  tr, figure, blockquote, pre { break-inside: avoid; }
}
"""


def page(title: str, sections: Iterable[str]) -> str:
    """Write a whole page; `title` is a text, `sections` are HTML."""
    body = "\n".join(sections)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        # Whatever a hostile text might still smuggle in, a browser neither runs nor fetches it.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{shown(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def shown(text: object, most: int = MOST) -> str:
    """Escape a text of any origin; what is not seen is shown by its number, and what is too long is cut."""
    told = "".join(_seen(letter) for letter in str(text)[:most])
    return escape(told) + (f"… ({number(len(str(text)))} characters)" if len(str(text)) > most else "")


def named(text: object) -> str:
    """Show a name that somebody else chose, apart from the direction of the text around it."""
    return f"<bdi>{shown(text)}</bdi>"


def prose(text: object) -> str:
    """Escape a text of our own words, of any length."""
    return shown(text, most=100_000)


def paragraph(text: str, kind: str = "") -> str:
    """Write a paragraph of HTML."""
    return f'<p class="{kind}">{text}</p>' if kind else f"<p>{text}</p>"


def section(heading: str, *parts: str) -> str:
    """Write a section under a heading, which is a text."""
    return f"<section>\n<h2>{shown(heading)}</h2>\n" + "\n".join(part for part in parts if part) + "\n</section>"


def listing(items: Iterable[str], *, ordered: bool = False) -> str:
    """Write a list of HTML items; nothing where there are none."""
    told = "\n".join(f"<li>{item}</li>" for item in items)
    kind = "ol" if ordered else "ul"
    return f"<{kind}>\n{told}\n</{kind}>" if told else ""


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table of HTML cells whose first cell heads its row; `caption` and `head` are texts."""
    top = "".join(f'<th scope="col">{shown(one)}</th>' for one in head)
    body = "\n".join(_row(row) for row in rows)
    return (
        f"<table>\n<caption>{prose(caption)}</caption>\n<thead><tr>{top}</tr></thead>\n<tbody>\n{body}\n</tbody>\n"
        "</table>"
    )


def facts(caption: str, told: Mapping[str, str]) -> str:
    """Write facts as a table of two columns; values are HTML, empty ones are left out."""
    return table(caption, ("What", "Answer"), [(shown(what), value) for what, value in told.items() if value])


def figure(svg: str, caption: str) -> str:
    """Set a picture into the page; inside a page it needs no name space."""
    inline = svg.replace(' xmlns="http://www.w3.org/2000/svg"', "", 1)
    return f"<figure>\n{inline}<figcaption>{prose(caption)}</figcaption>\n</figure>"


def number(value: float) -> str:
    """Write a whole number with thin separators, another one with at most one decimal."""
    told = f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"
    return told.replace(",", THIN)


def count(value: object) -> str:
    """Write a number where there is one; nothing else becomes a count."""
    return number(value) if isinstance(value, int | float) else ""


def bound(value: float) -> str:
    """Write a small probability as HTML, as `rounded_up` does."""
    digits, _, power = rounded_up(value).partition("e")
    return f"{digits} × 10<sup>{int(power)}</sup>".replace("<sup>-", "<sup>−")


def moment(at: datetime | None) -> str:
    """Write a moment for people: 3 May 2026, 14:05 UTC."""
    if at is None:
        return ""
    told = at.astimezone(UTC)
    return f'<time datetime="{told.isoformat()}">{told.day} {told:%B %Y, %H:%M} UTC</time>'


def _row(cells: Sequence[str]) -> str:
    first, *rest = cells
    return f'<tr><th scope="row">{first}</th>' + "".join(f"<td>{cell}</td>" for cell in rest) + "</tr>"


def _seen(letter: str) -> str:
    return f"[U+{ord(letter):04X}]" if unicodedata.category(letter) in UNSEEN else letter
