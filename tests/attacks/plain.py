"""The evidence computed once more from a case file alone, in plain Python from the printed formulas.

This module imports nothing of the project: it is what an outsider would write. Slow and literal on purpose.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

Document = dict[str, Any]
SPACE = 65536


def log_evidence(case: Document, which: int, *, ids: bool = True, seen: bool = True) -> float:
    """Return ln E of the name at place `which`, without keyed ids or without cells seen before where asked."""
    name, before = case["names"][which], case["names"][:which]
    total = sum(one["weight"] for one in case["alternatives"])
    parts = []
    for alternative in case["alternatives"]:
        reading = _Reading(case, alternative["reading"], name, before, ids, seen)
        hypotheses = _hypotheses(case["hypotheses"], len(before))
        whole = sum(one["weight"] for one in hypotheses)
        for one in hypotheses:
            weight = alternative["weight"] / total * one["weight"] / whole
            if weight > 0:
                parts.append(math.log(weight) + reading.log_product(one))
    return _log_sum(parts)


def p_family(case: Document, which: int) -> float:
    """Return max(1e-15, min(1, R t(t+1)(s+1)(s+2)/E))."""
    return max(1e-15, math.exp(min(0.0, _log_charge(case, which) - log_evidence(case, which))))


def log10_threshold(case: Document, which: int) -> float:
    """Return log10 of R t(t+1)(s+1)(s+2)/alpha."""
    return (_log_charge(case, which) - math.log(1e-9)) / math.log(10)


def upper_limit(errors: int, trials: int) -> float:
    """Return the rate at which `errors` or fewer of `trials` have probability 0.05 (Clopper and Pearson)."""
    low, high = 0.0, 1.0
    for _ in range(200):
        middle = (low + high) / 2
        few = sum(math.comb(trials, k) * middle**k * (1 - middle) ** (trials - k) for k in range(errors + 1))
        low, high = (middle, high) if few > 0.05 else (low, middle)
    return high if errors < trials else 1.0


def log_factors(case: Document, reading: Document, hypothesis: Document) -> list[tuple[float, float]]:
    """Return log L(y|0)/Lbar(y) and log L(y|1)/Lbar(y) of every cell for a party sought first."""
    everything = {"bits": "1" * len(case["cells"])}
    one = _Reading(case, reading, everything, [], False, True)
    return [(one.log_factor(cell, 0, hypothesis), one.log_factor(cell, 1, hypothesis)) for cell in range(one.cells)]


class _Reading:
    def __init__(
        self, case: Document, reading: Document, name: Document, before: list[Document], ids: bool, seen: bool
    ) -> None:
        self.case, self.reading, self.name, self.ids = case, reading, name, ids
        place = {tuple(address): number for number, address in enumerate(case["cells"])}
        addresses = zip(reading["table"], reading["row"], reading["column"], strict=True)
        self.place = [place[address] for address in addresses]
        self.cells = len(self.place)
        gone = set() if seen else set(case["seen"])
        self.used = [cell for cell in range(self.cells) if self.place[cell] not in gone]
        self.known = [[one["bits"][self.place[cell]] for one in before] for cell in range(self.cells)]
        self.values: list[list[float]] = [[] for _ in range(self.cells)]
        for cell, value in zip(reading["observation_cell"], reading["observation"], strict=True):
            self.values[cell].append(value)
        self.seen: dict[tuple[int, float, float], float] = {}
        self.factors: dict[tuple[Any, ...], float] = {}

    def log_product(self, hypothesis: Document) -> float:
        candidates = self._candidates(hypothesis)
        share, total = hypothesis["share"], 0.0
        for group, neutral in enumerate(self.reading["neutral"]):
            parts = [math.log(neutral)] if neutral > 0 else []
            for one, log in enumerate(candidates):
                weight = self.reading["candidate_weight"][one]
                if self.reading["candidate_group"][one] == group and weight > 0:
                    parts.append(math.log(weight) + log)
            total += _log_sum([math.log(1 - share), math.log(share) + _log_sum(parts)])
        return total + (self._loose(hypothesis) if self.ids else 0.0)

    def _candidates(self, hypothesis: Document) -> list[float]:
        logs = [0.0] * len(self.reading["candidate_row"])
        for cell in self.used:
            bit = self.name["bits"][self.place[cell]]
            if bit != "-":
                logs[self.reading["cell_candidate"][cell]] += self.log_factor(cell, int(bit), hypothesis)
        own = (1 - hypothesis["background"]) / hypothesis["colluders"]
        if self.ids:
            read = len(self.reading["id_value"]) + len(self.reading["loose_id"])
            pairs = [tuple(pair) for pair in self.case["id_pairs"]]
            for candidate, value in zip(self.reading["id_candidate"], self.reading["id_value"], strict=True):
                pair = (self.reading["participant"][candidate], value)
                answer = self.name["ids"][pairs.index(pair)]
                logs[candidate] += _hit(answer, own, int(self.case["id_space"]) - read + 1)
        moves = [tuple(move) for move in self.case["moves"]]
        dates = (self.reading[part] for part in ("date_candidate", "date_unit", "date_shift"))
        for candidate, unit, shift in zip(*dates, strict=True):
            answer = self.name["moves"][moves.index((unit, shift))]
            logs[candidate] += _hit(answer, own, self.name["shifts"])
        return logs

    def _loose(self, hypothesis: Document) -> float:
        own = hypothesis["share"] * (1 - hypothesis["background"]) / hypothesis["colluders"]
        if self.name["released"] == 0:
            return 0.0
        each = int(self.case["id_space"]) / self.name["released"]
        loose = [self.name["loose"][self.case["loose_ids"].index(value)] for value in self.reading["loose_id"]]
        return sum(_hit(answer, own, each) for answer in loose)

    def log_factor(self, cell: int, bit: int, hypothesis: Document) -> float:
        law = (hypothesis[part] for part in ("strategy", "colluders", "background", "restored", "flipped"))
        key = (cell, bit, *law)
        if key not in self.factors:
            self.factors[key] = self._log_factor(cell, bit, hypothesis)
        return self.factors[key]

    def _log_factor(self, cell: int, bit: int, hypothesis: Document) -> float:
        p = self.reading["threshold"][cell] / SPACE
        likelihood = [self._likelihood(cell, one, p, hypothesis) for one in (0, 1)]
        top = max(likelihood)
        mean = p * math.exp(likelihood[1] - top) + (1 - p) * math.exp(likelihood[0] - top)
        return likelihood[bit] - top - math.log(mean)

    def _likelihood(self, cell: int, bit: int, p: float, hypothesis: Document) -> float:
        c, known = hypothesis["colluders"], [one for one in self.known[cell] if one != "-"]
        if c == 1:
            known = []
        others = c - 1 - len(known)
        chance = [0.0] * (c + 1)
        for k in range(others + 1):
            chance[known.count("1") + bit + k] += math.comb(others, k) * p**k * (1 - p) ** (others - k)
        if hypothesis["strategy"] == "averaging":
            return _log_weighted((chance[k], self._observed(cell, k / c, hypothesis)) for k in range(c + 1))
        shown = sum(chance[k] * _theta(hypothesis["strategy"], k, c) for k in range(c + 1))
        kept = 1 - hypothesis["restored"] - hypothesis["flipped"]
        shown = kept * shown + hypothesis["flipped"] / 2
        shown += hypothesis["restored"] if self.reading["original_high"][cell] else 0.0
        low, high = (self._observed(cell, place, hypothesis) for place in (0.0, 1.0))
        return _log_weighted([(1 - shown, low), (shown, high)])

    def _observed(self, cell: int, place: float, hypothesis: Document) -> float:
        key = (cell, place, hypothesis["background"])
        if key not in self.seen:
            background = hypothesis["background"]
            self.seen[key] = sum(self._seen(cell, place, value, background) for value in self.values[cell])
        return self.seen[key]

    def _seen(self, cell: int, place: float, value: float, background: float) -> float:
        channel = self.reading["channels"][self.reading["channel"][cell]]
        low, high = self.reading["low"][cell], self.reading["high"][cell]
        window = max(channel["grid"], (high - low) / 1000)
        distance = abs(value - (low + place * (high - low)))
        levels = zip(channel["weights"], channel["sigmas"], strict=True)
        mass = sum(weight * _mass(distance, window, sigma) for weight, sigma in levels)
        return math.log((1 - background) * mass + background * min(1.0, window / channel["width"]))


def _mass(distance: float, window: float, sigma: float) -> float:
    half = window / 2
    if sigma == 0:
        return 0.5 if abs(distance - half) <= window / 1e6 else float(distance < half)
    upper, lower = (distance + half) / sigma, (distance - half) / sigma
    return (math.erfc(lower / math.sqrt(2)) - math.erfc(upper / math.sqrt(2))) / 2


def _theta(strategy: str, k: int, c: int) -> float:
    if k in (0, c):
        return float(k == c)
    rules: dict[str, Callable[[], float]] = {
        "interleaving": lambda: k / c,
        "maximum": lambda: 1.0,
        "minimum": lambda: 0.0,
        "majority": lambda: 0.5 if 2 * k == c else float(2 * k > c),
        "minority": lambda: 0.5 if 2 * k == c else float(2 * k < c),
        "coin": lambda: 0.5,
    }
    return rules[strategy]()


def _hit(answer: str, own: float, space: float) -> float:
    if answer == "-":
        return 0.0
    return math.log(own * space + 1 - own) if answer == "1" else math.log(1 - own)


def _hypotheses(listed: list[Document], named: int) -> list[Document]:
    """Coalitions have room for all who were named; whole rows of one copy stay where rows are shared."""
    if named == 0:
        return listed
    return [one for one in listed if one["colluders"] > named or (one["strategy"] == "single" and one["share"] <= 0.5)]


def _log_charge(case: Document, which: int) -> float:
    t = case["attempt"]["number"]
    return math.log(case["attempt"]["keys_issued"] * t * (t + 1) * (which + 1) * (which + 2))


def _log_weighted(pairs: Iterable[tuple[float, float]]) -> float:
    parts = [math.log(weight) + log for weight, log in pairs if weight > 0]
    return _log_sum(parts)


def _log_sum(parts: list[float]) -> float:
    top = max(parts)
    return top + math.log(sum(math.exp(one - top) for one in parts))
