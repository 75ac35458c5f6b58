"""Whether a purpose fits the terms under which data were given: the Data Use Ontology, matched by our own code.

Source: Data Use Ontology (DUO), 2022 state, terms and definitions in duo.csv beside this file (CC BY 4.0); the order of
answers differs from DUOS V4: deny beats review beats approve, and all reasons are kept. What is unknown or obsolete is
never approved: a curator or committee looks.
"""

import csv
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache
from importlib import resources

from copyhold.domain.errors import InvalidInputError
from copyhold.domain.moments import parse as parse_moment
from copyhold.domain.purposes import Circumstances, Match, Purpose, Term
from copyhold.domain.verdicts import Reason

CODE = re.compile(r"(?:DUO[:_])?0?([0-9]{7})", re.IGNORECASE)  # the ontology file writes one code with eight digits

NRES, GRU, HMB, DS, POA = "DUO:0000004", "DUO:0000042", "DUO:0000006", "DUO:0000007", "DUO:0000011"
GENETIC = "DUO:0000038"
PERMISSIONS = (NRES, GRU, HMB, DS, POA)


@cache
def vocabulary() -> dict[str, str]:
    """Each term of the ontology with its kind: permission, modifier, research-purpose, class or obsolete."""
    return {line["id"]: line["kind"] for line in _lines()}


@cache
def labels() -> dict[str, str]:
    """Each term of the ontology with its name."""
    return {line["id"]: line["label"] for line in _lines()}


@cache
def _short_names() -> dict[str, str]:
    return {line["shorthand"]: line["id"] for line in _lines() if line["shorthand"]}


def _lines() -> list[dict[str, str]]:
    file = resources.files("copyhold.rules").joinpath("duo.csv")
    return list(csv.DictReader(file.read_text("utf-8").splitlines()))


def term(told: str) -> Term:
    """Read one term as people write it. InvalidInputError where it is not of the ontology at all."""
    name, _, behind = told.strip().partition("=")
    found = CODE.fullmatch(name.strip())
    code = f"DUO:{found.group(1)}" if found else _short_names().get(name.strip().upper(), "")
    if code not in vocabulary():
        raise InvalidInputError("A data use term is not of the Data Use Ontology; write it as DUO:0000042 or GRU.")
    return Term(code, tuple(one.strip() for one in behind.split(";") if one.strip()))


def terms(told: Iterable[str]) -> tuple[Term, ...]:
    """Read terms, each once, in order."""
    return tuple(dict.fromkeys(term(one) for one in told if one.strip()))


# What a term means when a project states it as its purpose. A permission used as a purpose means the widest use that
# it permits; age, gender and control research and population research are looked at by a committee or matched as such.
_PURPOSE: dict[str, dict[str, object]] = {
    NRES: {"general": True},
    GRU: {"general": True},
    HMB: {"biomedical": True},
    POA: {"ancestry": True},
    "DUO:0000031": {"methods": True},
    "DUO:0000032": {"ancestry": True},
    "DUO:0000033": {"ancestry": True},
    "DUO:0000037": {"biomedical": True},
    "DUO:0000038": {"biomedical": True},
    "DUO:0000039": {"biomedical": True},
    "DUO:0000043": {"clinical_care": True},
    "DUO:0000045": {"not_for_profit": True},
    "DUO:0000046": {"commercial": False},
    "DUO:0000018": {"not_for_profit": True, "commercial": False},
}
_FLAGS = {"DUO:0000034": "age", "DUO:0000035": "gender", "DUO:0000036": "controls"}
_DISEASE = (DS, "DUO:0000040")


def purpose(told: Iterable[str]) -> Purpose:
    """Read what a project says it will do, as terms. InvalidInputError for a term that states no purpose."""
    stated = terms(told)
    meant: dict[str, object] = {}
    for one in stated:
        if one.code in _PURPOSE:
            meant.update(_PURPOSE[one.code])
        elif one.code not in _FLAGS and one.code not in _DISEASE:
            raise InvalidInputError(f"{one.code} ({labels()[one.code]}) is no purpose; state what will be done.")
    diseases = tuple(disease for one in stated if one.code in _DISEASE for disease in one.parameters)
    biomedical = bool(meant.get("biomedical")) or any(one.code in _DISEASE and not one.parameters for one in stated)
    return Purpose(
        terms=tuple(one.code for one in stated),
        general=bool(meant.get("general")),
        biomedical=biomedical,
        ancestry=bool(meant.get("ancestry")),
        methods=bool(meant.get("methods")),
        diseases=diseases,
        not_for_profit=True if meant.get("not_for_profit") else None,
        commercial=False if "commercial" in meant else None,
        clinical_care=bool(meant.get("clinical_care")),
        flags=tuple(_FLAGS[one.code] for one in stated if one.code in _FLAGS),
    )


def match(use: Iterable[Term], wanted: Purpose, circumstances: Circumstances) -> Match:
    """Hold a purpose against the terms of a dataset, in the circumstances of its use; every reason is kept."""
    stated = tuple(use)
    permissions = [one for one in stated if one.code in PERMISSIONS]
    found = [_permissions(permissions, wanted, stated), _committee(wanted)]
    found += [_modifier(one, wanted, circumstances) for one in stated if one.code not in PERMISSIONS]
    return Match(
        denials=tuple(dict.fromkeys(reason for one in found for reason in one.denials)),
        reviews=tuple(dict.fromkeys(reason for one in found for reason in one.reviews)),
    )


def _permissions(stated: list[Term], wanted: Purpose, all_stated: tuple[Term, ...]) -> Match:
    if not stated:
        return _review("NO_PERMISSION_TERM", "The dataset states no permission term.")
    if len(stated) > 1:
        return _review("CONFLICTING_PERMISSIONS", "The dataset states several permission terms.")
    denials = []
    if wanted.clinical_care and not any(one.code == "DUO:0000043" for one in all_stated):
        denials.append(_unfit("clinical care"))
    asks = (wanted.general, wanted.biomedical, wanted.ancestry, bool(wanted.diseases), wanted.methods)
    if not any(asks) and not wanted.clinical_care:
        return Match(tuple(denials), _review("NO_PURPOSE", "The project states no purpose that rules decide.").reviews)
    return Match(tuple(denials) + _beyond(stated[0], wanted))


def _beyond(permission: Term, wanted: Purpose) -> tuple[Reason, ...]:
    """What of a purpose reaches beyond the one permission; work on methods is within each unless barred."""
    if permission.code in (NRES, GRU):
        return ()
    if permission.code == POA:
        beyond = {
            "general use": wanted.general,
            "biomedical use": wanted.biomedical,
            "a disease": bool(wanted.diseases),
        }
    elif permission.code == HMB:
        beyond = {"general use": wanted.general, "ancestry": wanted.ancestry}
    else:
        outside = any(not _within(disease, permission.parameters, wanted) for disease in wanted.diseases)
        alone = wanted.biomedical and not wanted.diseases
        beyond = {
            "general use": wanted.general,
            "ancestry": wanted.ancestry,
            "another disease": outside,
            "biomedical use at large": alone,
        }
    return tuple(_unfit(what) for what, asked in beyond.items() if asked)


def _within(disease: str, permitted: tuple[str, ...], wanted: Purpose) -> bool:
    broader = wanted.ancestors.get(disease, ())
    return any(one == disease or one in broader for one in permitted)


def _committee(wanted: Purpose) -> Match:
    reasons = [_look("SENSITIVE_PURPOSE", f"The purpose touches {flag.replace('_', ' ')}.") for flag in wanted.flags]
    return Match(reviews=tuple(reasons))


def _modifier(stated: Term, wanted: Purpose, here: Circumstances) -> Match:
    rule = _MODIFIERS.get(stated.code)
    if rule is None:
        return _review("TERM_NOT_DECIDED", f"No rule decides {stated.code}.")
    return rule(stated, wanted, here)


def _research_specific(stated: Term, wanted: Purpose, here: Circumstances) -> Match:
    named = [one for one in stated.parameters if CODE.fullmatch(one)]
    if not named or len(named) < len(stated.parameters):
        return _review("RESEARCH_SPECIFIC", "The dataset is restricted to particular research, in words.")
    return _deny_unless(all(term(one).code in wanted.terms for one in named), _unfit("other research than named"))


def _no_methods(stated: Term, wanted: Purpose, here: Circumstances) -> Match:
    return _deny_unless(not wanted.methods, _unfit("work on methods"))


def _genetic_only(stated: Term, wanted: Purpose, here: Circumstances) -> Match:
    return _deny_unless(GENETIC in wanted.terms, _unfit("other than genetic studies"))


def _no_ancestry(stated: Term, wanted: Purpose, here: Circumstances) -> Match:
    return _deny_unless(not wanted.ancestry, _unfit("population origins or ancestry"))


def _not_for_profit(stated: Term, wanted: Purpose, here: Circumstances) -> Match:
    return _undertaking(wanted.not_for_profit, "The institution is not a not-for-profit one.")


def _non_commercial(stated: Term, wanted: Purpose, here: Circumstances) -> Match:
    return _undertaking(None if wanted.commercial is None else not wanted.commercial, "The use is commercial.")


def _neither(stated: Term, wanted: Purpose, here: Circumstances) -> Match:
    first, second = _not_for_profit(stated, wanted, here), _non_commercial(stated, wanted, here)
    return Match(first.denials + second.denials, first.reviews + second.reviews)


def _undertaking(given: bool | None, otherwise: str) -> Match:
    if given is None:
        return _review("COMMERCIAL_USE", "It is not stated that the use is not for profit.")
    fix = "Only use without profit is permitted; see the dataset's terms."
    return _deny_unless(given, Reason("COMMERCIAL_USE", otherwise, fix))


def _place(stated: Term, wanted: Purpose, here: Circumstances) -> Match:
    places = {one.upper() for one in stated.parameters}
    known = (here.institution_country, here.processing_country)
    fits = all(place is not None and place.upper() in places for place in known)
    reason = "The data may not be used in the place where they would be."
    return _deny_unless(fits, Reason("PLACE_NOT_ALLOWED", reason, "Use them in a place that the terms name."))


def _ethics(stated: Term, wanted: Purpose, here: Circumstances) -> Match:
    reason = "The dataset asks for an ethics approval in force, and there is none on file."
    return _deny_unless(here.ethics, Reason("ETHICS_EXPIRED", reason, "Record the project's ethics approval."))


def _moratorium(stated: Term, wanted: Purpose, here: Circumstances) -> Match:
    if not here.publishing:
        return Match()
    until = [parse_moment(one, "The moratorium") for one in stated.parameters]
    if not until:
        return _review("MORATORIUM", "The moratorium on publishing has no date.")
    reason = "Nothing may be published yet: the moratorium has not ended."
    return _deny_unless(here.at >= max(until), Reason("MORATORIUM", reason, "Publish after the moratorium."))


def _time_limit(stated: Term, wanted: Purpose, here: Circumstances) -> Match:
    if not stated.parameters:
        return _review("TIME_LIMIT", "The time limit on use has no length.")
    ends = _end(stated.parameters[0], here.started_at)
    if ends is None:
        return _review("TIME_LIMIT", "The time limit on use cannot be counted.")
    reason = "The time for which these data may be used is over."
    return _deny_unless(here.at < ends, Reason("TIME_LIMIT", reason, "Ask for a new application."))


def _end(told: str, started_at: datetime | None) -> datetime | None:
    """The end of a limit: a date, or months after the start (the same day of the month, or that month's last)."""
    if not told.isdecimal():
        try:
            return parse_moment(told, "The time limit")
        except InvalidInputError:
            return None
    if started_at is None:
        return None
    month = started_at.month - 1 + int(told)
    first = started_at.replace(year=started_at.year + month // 12, month=month % 12 + 1, day=1)
    following = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return first.replace(day=min(started_at.day, (following - first).days))


def _listed(what: str, who: Callable[[Circumstances], str | None]) -> Callable[[Term, Purpose, Circumstances], Match]:
    def rule(stated: Term, wanted: Purpose, here: Circumstances) -> Match:
        named = {_bare(one) for one in stated.parameters}
        asked = who(here)
        reason = Reason(
            "NOT_ON_THE_LIST",
            f"The terms list which {what} may use the data; this one is not listed.",
            "Ask the custodian to have the terms changed.",
        )
        return _deny_unless(asked is not None and _bare(asked) in named, reason)

    return rule


def _bare(told: str) -> str:
    return told.casefold().removeprefix("https://ror.org/").removeprefix("ror:")


def _duty(stated: Term, wanted: Purpose, here: Circumstances) -> Match:
    """A duty for later (publish, return results) stands in no release's way."""
    return Match()


def _collaboration(stated: Term, wanted: Purpose, here: Circumstances) -> Match:
    return _review("COLLABORATION", "The dataset asks for a collaboration with those who made it.")


_MODIFIERS: dict[str, Callable[[Term, Purpose, Circumstances], Match]] = {
    "DUO:0000012": _research_specific,
    "DUO:0000015": _no_methods,
    "DUO:0000016": _genetic_only,
    "DUO:0000018": _neither,
    "DUO:0000019": _duty,
    "DUO:0000020": _collaboration,
    "DUO:0000021": _ethics,
    "DUO:0000022": _place,
    "DUO:0000024": _moratorium,
    "DUO:0000025": _time_limit,
    "DUO:0000026": _listed("people", lambda here: here.person),
    "DUO:0000027": _listed("projects", lambda here: here.project),
    "DUO:0000028": _listed("institutions", lambda here: here.institution),
    "DUO:0000029": _duty,
    "DUO:0000043": _duty,
    "DUO:0000044": _no_ancestry,
    "DUO:0000045": _not_for_profit,
    "DUO:0000046": _non_commercial,
}


def _unfit(what: str) -> Reason:
    return Reason(
        "PURPOSE_NOT_APPROVED",
        f"The dataset's terms do not permit {what}.",
        "Ask for a purpose within the terms, or choose another dataset.",
    )


def _look(code: str, reason: str) -> Reason:
    return Reason(code, reason, "A committee or curator decides.")


def _review(code: str, reason: str) -> Match:
    return Match(reviews=(_look(code, reason),))


def _deny_unless(fits: bool, reason: Reason) -> Match:
    return Match() if fits else Match(denials=(reason,))
