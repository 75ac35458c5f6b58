"""What a column says about a person, by its name, its title and its cells; guesses, to be accepted by a person.

A direct identifier is looked for first and in doubt assumed: it is then never released, which a person can mend. A name
that went out cannot be taken back.
"""

import re
from collections.abc import Callable, Iterable

import numpy as np

from copyhold.domain.catalogue import FieldType, Role
from copyhold.engines.tables.suggestion_profiles import Profile

_MOST = 0.8  # of the cells looked at: a few are always mistyped
_FEWEST_CELLS = 3
_OWN = 0.5  # different values per cell from which a name or number is a person's own
_FEWEST_IDS = 20
_FEWEST_UNIQUE = 100  # rows in which no number repeats, from which that is no chance
_SHARED_ID = 0.05  # different numbers per row, from which they number people or records
_MANY_IDS = 1_000
_NHS_VALID = 0.95  # one number in eleven is valid by chance


def _any_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NAMED_DIRECT = _any_of(
    "name surname forename firstname lastname fullname initials address street email mail phone telephone mobile fax "
    "nhs chi ssn nino passport mrn postcode zipcode username ip latitude longitude"
)
_NOT_A_PERSON = _any_of(
    "drug medicine product test item unit variable country city hospital site centre center file study table "
    "assay device brand event"
)
_NAMED_ID = _any_of("id ids nbr number no key uuid guid eid seqn identifier pseudonym subjid usubjid")
_JOINED_ID = re.compile(
    r"(?:pat|patient|case|person|subj|subject|sample|participant|visit|enc|encounter|rec|record|study|house|household|"
    r"family|hosp|hospital|site|centre|admission|member|pers|part)id"
)
_NAMED_QUASI = _any_of(
    "age sex gender male female race ethnic ethnicity birth born dob year yob month country nationality region county "
    "district city town area education educ school marital married occupation job work income household "
    "religion language deprivation veteran height"
)
_AGE = re.compile(r"(?:rid|patient|maternal|paternal|gestational)?age(?:y|yr|yrs|years|mn|mths|months|at\w*|dx|ex\w*)?")
_NAMED_CODE = _any_of(
    "code codes type status stat class category grade level stage score rank group grp icd snomed atc flag answer "
    "stratum strata psu education educ num"
)
_NAMED_TIME = _any_of("time futime days day weeks months month year years followup duration date hour")
_TIME = re.compile(r"^(?:permth|futime|time_to)")
_NAMED_WEIGHT = re.compile(
    r"fnlwgt|^wt(?:int|mec|saf|sph|dr)|(?:survey|sample|sampling|interview|exam)[ _]?weight|pweight"
)

_CONTENT = {
    "e-mail addresses": re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}"),
    "postcodes": re.compile(r"[A-Za-z]{1,2}[0-9][0-9A-Za-z]? ?[0-9][A-Za-z]{2}"),
    "telephone numbers": re.compile(
        r"(?:\+[0-9]{1,3}|\(?0[0-9]{2,5}\)?)[ -]?(?:\(0\))?[0-9]{2,5}[ -]?[0-9]{3,4}[ -]?[0-9]{0,4}"
    ),
    "identifiers": re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[0-9a-fA-F]{32,64}"),
    "internet addresses": re.compile(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}"),
    "national insurance numbers": re.compile(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?(?:[0-9]{2} ?){3}[A-D]"),
    "social security numbers": re.compile(r"[0-9]{3}-[0-9]{2}-[0-9]{4}"),
}
_PERSON = re.compile(r"[A-Z][a-z'’\-]+(?:[ ,]+(?:[A-Z]\.?|[A-Z][a-z'’\-]+)){1,3}")


def words(text: str) -> tuple[str, ...]:
    """Split a column's name or title into words: at signs, and where a small letter meets a capital."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return tuple(re.findall(r"[a-z]+|[0-9]+", parted.lower()))


def direct(profile: Profile) -> str:
    """Say what identifies people directly in this column; "" where nothing does."""
    if profile.kind in (FieldType.DATE, FieldType.DATETIME):
        return ""
    return _by_content(profile) or _by_name(profile) or _by_uniqueness(profile)


def role(profile: Profile, *, is_code: bool) -> Role:
    """Guess the role of a column that identifies nobody directly."""
    named = {*words(profile.name), *words(profile.facts.title)}
    if profile.kind in (FieldType.DATE, FieldType.DATETIME) or is_age(profile) or named & _NAMED_QUASI:
        return Role.QUASI
    if profile.kind is FieldType.TEXT:
        return Role.SENSITIVE  # free text may say anything
    return Role.QUASI if is_code else Role.SENSITIVE


def is_age(profile: Profile) -> bool:
    """Whether the name says that this is an age: known elsewhere, and exact."""
    return any(_AGE.fullmatch(word) for word in words(profile.name))


def is_time(profile: Profile) -> bool:
    """Whether the name says that this is a time between events: it is exact, and moves with the dates."""
    return bool(set(words(profile.name)) & _NAMED_TIME) or bool(_TIME.search(profile.name.lower()))


def is_weight(profile: Profile) -> bool:
    """Whether the name says that this is a weight of a survey: published elsewhere, and the base of every estimate."""
    return any(_NAMED_WEIGHT.search(text.lower()) for text in (profile.name, profile.facts.title))


def named_code(profile: Profile) -> bool:
    """Whether the name, or what the file says, tells a code or a score from a measurement."""
    own = words(profile.name)
    return bool(profile.facts.value_labels) or bool(set(own) & _NAMED_CODE) or _named_id(own)


def unit(profile: Profile) -> str:
    """Give the unit that the file tells, or the title in brackets, or the name at its end."""
    if profile.facts.unit or not profile.numeric:
        return profile.facts.unit
    bracketed = re.findall(r"[(\[]([^()\[\]]{1,20})[)\]]", profile.facts.title or profile.name)
    told = next((text.strip() for text in reversed(bracketed) if _is_unit(text)), "")
    if told:
        return told
    own = re.split(r"[^A-Za-z0-9]+", profile.name.lower())
    for count in (2, 1):
        found = _SPELLED.get("_".join(own[-count:])) if len(own) > count else None
        if found:
            return found
    return ""


_UNITS = _any_of(
    "kg g mg ug ng pg cm mm m mmhg mg/dl g/dl g/l mmol/l umol/l nmol/l pmol/l mmol/mol u/l iu/l ng/ml pg/ml ug/dl "
    "ug/ml ug/l fl % kg/m2 kg/m^2 kg/m**2 bpm 1/min ml l mmol/kg years months days s ms 10^9/l 10^12/l mmol umol"
)
_SPELLED = {
    **{unit.replace("/", "_"): unit for unit in _UNITS if unit.replace("/", "").isalnum() and len(unit) > 1},
    "mg_dl": "mg/dL", "g_dl": "g/dL", "mmol_l": "mmol/L", "umol_l": "umol/L", "g_l": "g/L", "u_l": "U/L",
    "mmhg": "mmHg", "pct": "%", "percent": "%", "kg_m2": "kg/m2",
}  # fmt: skip


def _is_unit(text: str) -> bool:
    plain = text.strip().lower()
    return plain in _UNITS or bool(re.fullmatch(r"[\w^*.%]+ ?/ ?[\w^*.%]+(?: ?/ ?[\w^*.%]+)*|1000 cells/ul", plain))


def _by_content(profile: Profile) -> str:
    if profile.numeric:
        valid = _whole(profile) and _all_nhs(f"{value:010.0f}" for value in profile.values[:2_000].tolist())
        return "NHS numbers" if valid else ""
    cells = [cell.strip() for cell in profile.texts]
    if len(cells) < _FEWEST_CELLS:
        return ""
    for what, pattern in _CONTENT.items():
        if _share(cells, lambda cell, form=pattern: bool(form.fullmatch(cell))) >= _MOST:  # type: ignore[misc]
            return what
    if _all_nhs(cell.replace(" ", "").replace("-", "") for cell in cells):
        return "NHS numbers"
    own = profile.distinct >= _OWN * profile.present
    people = own and _share(cells, lambda cell: bool(_PERSON.fullmatch(cell))) >= _MOST
    return "people's names" if people else ""


def _by_name(profile: Profile) -> str:
    own = words(profile.name)
    many = profile.distinct >= min(_FEWEST_IDS, _OWN * profile.present)
    if set(own) & _NAMED_DIRECT and not set(own) & _NOT_A_PERSON and many and not _measure(profile):
        return "what its name says"
    held = profile.distinct >= max(_FEWEST_IDS, min(_MANY_IDS, _SHARED_ID * profile.present)) or (
        profile.distinct >= _OWN * profile.present and profile.present >= _FEWEST_CELLS
    )
    return "record numbers, as its name says" if _named_id(own) and held and not _measure(profile) else ""


def _by_uniqueness(profile: Profile) -> str:
    unique = profile.distinct == profile.present >= _FEWEST_UNIQUE
    if not unique or _measure(profile):
        return ""
    token = profile.numeric or _share(list(profile.texts), lambda cell: " " not in cell.strip()) >= _MOST
    return "record numbers: none occurs twice" if token else ""


def _measure(profile: Profile) -> bool:
    """Numbers with decimals count or measure; they number nothing."""
    return profile.kind in (FieldType.DECIMAL, FieldType.REAL)


def _named_id(own: tuple[str, ...]) -> bool:
    return bool(own) and (own[-1] in _NAMED_ID or any(_JOINED_ID.fullmatch(word) for word in own))


def _whole(profile: Profile) -> bool:
    return profile.kind is FieldType.INTEGER and len(profile.values) >= _FEWEST_CELLS and profile.values[0] > 0


def _share(cells: list[str], fits: Callable[[str], bool]) -> float:
    return sum(fits(cell) for cell in cells) / len(cells) if cells else 0.0


def _all_nhs(written: Iterable[str]) -> bool:
    """Whether nearly all are ten digits with a valid check digit.

    Source: NHS Data Model and Dictionary, "NHS Number": weights 10 to 2, eleven less the remainder modulo eleven.
    """
    cells = list(written)
    digits = [cell for cell in cells if re.fullmatch(r"[0-9]{10}", cell)]
    if len(cells) < _FEWEST_CELLS or len(digits) < _NHS_VALID * len(cells):
        return False
    table = np.array([[int(digit) for digit in cell] for cell in digits])
    check = (11 - table[:, :9] @ np.arange(10, 1, -1) % 11) % 11
    return bool((check == table[:, 9]).mean() >= _NHS_VALID)
