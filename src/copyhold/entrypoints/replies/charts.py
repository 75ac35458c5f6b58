"""Charts as SVG text, drawn here so that a page needs no script; each has a text twin for screen readers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 720, 320
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 28, 52
INK, FAINT, STRONG, ALERT = "#1d2a35", "#c9d1d8", "#1f5f8b", "#a2341b"
PALETTE = ("#1f5f8b", "#a2341b", "#3f7d3a", "#6a4c93", "#8a6d1d")
DASHES = ("", "6 3", "2 3", "8 3 2 3", "1 4")


@dataclass(frozen=True)
class Series:
    """One line or group of points: its name and (x, y) pairs in data units."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Axis:
    """A range of data with its label; `log` axes take positive numbers only."""

    label: str
    low: float
    high: float
    log: bool = False

    def share(self, value: float) -> float:
        """Where the value lies between low (0) and high (1)."""
        low, high, at = (math.log10(v) if self.log else v for v in (self.low, self.high, value))
        return (at - low) / ((high - low) or 1.0)

    def ticks(self) -> tuple[float, ...]:
        """About five round values inside the range."""
        if self.log:
            exponents = range(math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9) + 1)
            return tuple(10.0**e for e in exponents)
        step = _round_step((self.high - self.low) / 5)
        first = math.ceil(self.low / step - 1e-9)
        return tuple(step * n for n in range(first, math.floor(self.high / step + 1e-9) + 1))


def line_chart(title: str, x: Axis, y: Axis, series: Sequence[Series], text: str) -> str:
    """Draw lines with markers; `text` says in words what the picture shows."""
    body = [*_frame(x, y)]
    for number, one in enumerate(series):
        colour, dash = PALETTE[number % len(PALETTE)], DASHES[number % len(DASHES)]
        at = [_at(x, y, px, py) for px, py in one.points]
        path = " ".join(f"{px:.1f},{py:.1f}" for px, py in at)
        body.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
        )
        body.extend(f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3" fill="{colour}"/>' for px, py in at)
        body.append(_text(LEFT + 8 + 150 * number, TOP - 10, one.name, colour))
    return _svg(title, text, body)


def evidence_chart(
    named: Sequence[tuple[str, float]], log10_threshold: float, controls: Sequence[tuple[int, int]], text: str
) -> str:
    """Draw the evidence of each named party, the threshold, and where the control keys lie.

    `named` holds (short label, log10 of E); `controls` holds (k, how many control keys reached E >= 10^k). Nothing else
    is drawn: the evidence about a party that is not named is never shown.
    """
    high = max([log10_threshold, *(value for _, value in named), 1.0]) * 1.1
    x = Axis("log10 of the evidence", -1.0, high)
    body = [_text(LEFT, TOP - 10, "control keys", INK)]
    for k, count in controls:
        radius = 2 + 2 * math.log10(1 + count)
        across = _across(x, k)
        body.append(f'<circle cx="{across:.1f}" cy="{TOP + 20}" r="{radius:.1f}" fill="{FAINT}" stroke="{INK}"/>')
    step = min(34.0, (HEIGHT - BOTTOM - TOP - 60) / max(len(named), 1))
    for number, (label, value) in enumerate(named):
        y, start, end = TOP + 60 + step * number, _across(x, 0.0), _across(x, value)
        body.append(
            f'<rect x="{start:.1f}" y="{y:.1f}" width="{end - start:.1f}" height="{step * 0.6:.1f}" fill="{STRONG}"/>'
        )
        body.append(_text(start - 6, y + step * 0.3 + 4, label, INK, "end"))
        body.append(_text(end + 6, y + step * 0.3 + 4, f"{value:.1f}", INK))
    body += _limit(x, log10_threshold, f"threshold {log10_threshold:.1f}")
    body.extend(_ticks_across(x))
    return _svg("Evidence against the threshold", text, body)


def bar_chart(title: str, x: Axis, bars: Sequence[tuple[str, float]], limit: tuple[str, float], text: str) -> str:
    """Draw a bar for each (label, value), and a limit, a label with its value, that they are held against."""
    body = _limit(x, limit[1], limit[0])
    step = (HEIGHT - BOTTOM - TOP) / max(len(bars), 1)
    for number, (label, value) in enumerate(bars):
        y, end = TOP + step * number, _across(x, min(max(value, x.low), x.high))
        body.append(
            f'<rect x="{LEFT}" y="{y + step * 0.5:.1f}" width="{end - LEFT:.1f}" height="{step * 0.4:.1f}" '
            f'fill="{STRONG}"/>'
        )
        body.append(_text(LEFT + 4, y + step * 0.5 - 4, f"{label}: {value:.3g}", INK))
    body.extend(_ticks_across(x))
    return _svg(title, text, body)


def _limit(x: Axis, value: float, label: str) -> list[str]:
    line = _across(x, value)
    return [
        f'<line x1="{line:.1f}" y1="{TOP}" x2="{line:.1f}" y2="{HEIGHT - BOTTOM}" stroke="{ALERT}" '
        'stroke-width="2" stroke-dasharray="6 3"/>',
        _text(line + 4, HEIGHT - BOTTOM - 6, label, ALERT),
    ]


def _svg(title: str, text: str, body: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="12"><title>{escape(title)}</title><desc>{escape(text)}</desc>'
    )
    return "\n".join([head, *body, "</svg>"]) + "\n"


def _frame(x: Axis, y: Axis) -> list[str]:
    lines = [*_ticks_across(x)]
    for value in y.ticks():
        _, up = _at(x, y, x.low, value)
        lines.append(f'<line x1="{LEFT}" y1="{up:.1f}" x2="{WIDTH - RIGHT}" y2="{up:.1f}" stroke="{FAINT}"/>')
        lines.append(_text(LEFT - 8, up + 4, _number(value), INK, "end"))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    lines.append(
        f'<text transform="translate(14 {middle}) rotate(-90)" text-anchor="middle" fill="{INK}">'
        f"{escape(y.label)}</text>"
    )
    return lines


def _ticks_across(x: Axis) -> list[str]:
    floor = HEIGHT - BOTTOM
    lines = [f'<line x1="{LEFT}" y1="{floor}" x2="{WIDTH - RIGHT}" y2="{floor}" stroke="{INK}"/>']
    lines += [_text(_across(x, value), floor + 18, _number(value), INK, "middle") for value in x.ticks()]
    return [*lines, _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, x.label, INK, "middle")]


def _text(x: float, y: float, words: str, colour: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}">{escape(words)}</text>'


def _across(x: Axis, value: float) -> float:
    return LEFT + x.share(value) * (WIDTH - LEFT - RIGHT)


def _at(x: Axis, y: Axis, px: float, py: float) -> tuple[float, float]:
    return _across(x, px), HEIGHT - BOTTOM - y.share(py) * (HEIGHT - TOP - BOTTOM)


def _round_step(raw: float) -> float:
    magnitude = 10.0 ** math.floor(math.log10(raw)) if raw > 0 else 1.0
    return magnitude * next(factor for factor in (1, 2, 5, 10) if raw <= factor * magnitude * (1 + 1e-9))


def _number(value: float) -> str:
    return f"{value:g}"
