"""Forms of agreements: a text to be signed, and beside it the same terms as data. A custodian may bring its own.

A form is two files of one name: `NAME.md`, with a `$word` for each thing that is filled in, and `NAME.toml`, the terms.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from string import Template
from typing import Any

from copyhold.domain.agreements.contracts import Condition, Duty, Obligation, Prohibition, Terms, Trigger
from copyhold.domain.clocks import Consequence, Effect
from copyhold.domain.errors import InvalidInputError
from copyhold.domain.words import country

FILLED_IN = (
    "custodian",
    "institution",
    "dataset",
    "project",
    "from_day",
    "until_day",
    "incident_hours",
    "governing_law",
)
KNOWN = {
    "title", "version", "condition", "prohibitions", "duties", "places", "flow_down", "audit_right", "incident_hours",
    "governing_law",
}  # fmt: skip


@dataclass(frozen=True)
class Form:
    """A form: its title, its text with gaps, and its terms."""

    title: str
    version: str
    text: str
    terms: Terms


def names() -> tuple[str, ...]:
    """The forms that ship."""
    folder = resources.files("copyhold.rules.agreements").joinpath("forms")
    return tuple(sorted(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml")))


def shipped(name: str) -> Form:
    """A form that ships. InvalidInputError where there is none of this name."""
    if name not in names():
        raise InvalidInputError(f"There is no form of this name; there are {', '.join(names())}.")
    folder = resources.files("copyhold.rules.agreements").joinpath("forms")
    return read(*(folder.joinpath(f"{name}.{ending}").read_text("utf-8") for ending in ("toml", "md")))


def read(terms: str, text: str) -> Form:
    """Read a form from its two files. InvalidInputError where the terms are not ones that are known here."""
    try:
        told = tomllib.loads(terms)
    except tomllib.TOMLDecodeError:
        raise InvalidInputError("The terms cannot be read as TOML; mend the file and try again.") from None
    if unknown := set(told) - KNOWN:
        raise InvalidInputError(f"The terms hold something that is not known: {sorted(unknown)[0]}.")
    try:
        read_terms = _terms(told)
        Template(text).substitute(dict.fromkeys(FILLED_IN, ""))
    except (KeyError, TypeError, AttributeError):
        raise InvalidInputError(
            "The form lacks something or has it in another shape; compare one that ships."
        ) from None
    except ValueError:
        raise InvalidInputError("The form uses a word that is not known; compare one that ships.") from None
    return Form(str(told["title"]), str(told["version"]), text, read_terms)


def _terms(told: Mapping[str, Any]) -> Terms:
    return Terms(
        condition=_condition(told["condition"]),
        prohibitions=tuple(Prohibition(one) for one in told.get("prohibitions", ())),
        duties=tuple(_duty(one) for one in told.get("duties", ())),
        places=tuple(country(one, "A place") for one in told.get("places", ())),
        flow_down=tuple(Prohibition(one) for one in told.get("flow_down", ())),
        audit_right=bool(told.get("audit_right", True)),
        incident_hours=int(told.get("incident_hours", 24)),
        governing_law=str(told.get("governing_law", "")),
    )


def _condition(told: Mapping[str, Any]) -> Condition:
    return Condition(
        kind=str(told["kind"]),
        values=tuple(str(one) for one in told.get("values", ())),
        of=tuple(_condition(one) for one in told.get("of", ())),
    )


def _duty(told: Mapping[str, Any]) -> Duty:
    return Duty(
        obligation=Obligation(told["obligation"]),
        trigger=Trigger(told["trigger"]),
        within_hours=24 * int(told["within_days"]),
        recurs_days=int(told.get("recurs_days", 0)),
        evidence=str(told.get("evidence", "")),
        warn_days=tuple(int(one) for one in told.get("warn_days", ())),
        consequences=tuple(
            Consequence(int(one["after_days"]), Effect(one["effect"])) for one in told.get("consequences", ())
        ),
    )


def filled_in(
    form: Form, custodian: str, institution: str, dataset: str, project: str, from_at: datetime, until: datetime
) -> str:
    """Give a form's text with its gaps filled in, as it is offered for signature."""
    return Template(form.text).substitute(
        custodian=custodian,
        institution=institution,
        dataset=dataset,
        project=f" and the project **{project}**" if project else "",
        from_day=f"{from_at:%d %B %Y}",
        until_day=f"{until:%d %B %Y}",
        incident_hours=form.terms.incident_hours,
        governing_law=form.terms.governing_law,
    )
