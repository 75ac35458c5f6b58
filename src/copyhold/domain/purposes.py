"""Terms of use in the words of the Data Use Ontology (DUO), and what a project says it will do.

A term is written `DUO:0000042`, `DUO_0000042`, the eight-digit `DUO_00000044` of the ontology file, or its short name
(`GRU`). Terms that need more take it behind `=`: `DUO:0000022=GB;IE`, `DS=DOID:162`, `TS=12`, `MOR=2027-01-01`.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from copyhold.domain.verdicts import Reason


class Answer(StrEnum):
    """What matching terms with a purpose says: deny beats review beats approve."""

    APPROVE = "approve"
    REVIEW = "review"
    DENY = "deny"


@dataclass(frozen=True)
class Term:
    """A term as stated, with what stands behind `=`."""

    code: str
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True)
class Purpose:
    """What a project says it will do.

    `ancestors` are the broader terms of each disease, from a pinned release of the disease ontology; where a disease
    has none listed, only the same disease is known to be within it. `flags` name what no rule decides (controls,
    gender, vulnerable groups ..): a committee looks.
    """

    terms: tuple[str, ...] = ()
    general: bool = False
    biomedical: bool = False
    ancestry: bool = False
    methods: bool = False
    diseases: tuple[str, ...] = ()
    ancestors: dict[str, tuple[str, ...]] = field(default_factory=dict)
    not_for_profit: bool | None = None
    commercial: bool | None = None
    clinical_care: bool = False
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Circumstances:
    """Where, when and by whom the data would be used; None where it is not known."""

    at: datetime
    started_at: datetime | None = None
    institution: str | None = None
    institution_country: str | None = None
    processing_country: str | None = None
    project: str | None = None
    person: str | None = None
    ethics: bool = False
    publishing: bool = False


@dataclass(frozen=True)
class Match:
    """The answer with every reason: why it is denied, and why a committee must look."""

    denials: tuple[Reason, ...] = ()
    reviews: tuple[Reason, ...] = ()

    @property
    def answer(self) -> Answer:
        """Deny beats review beats approve."""
        if self.denials:
            return Answer.DENY
        return Answer.REVIEW if self.reviews else Answer.APPROVE
