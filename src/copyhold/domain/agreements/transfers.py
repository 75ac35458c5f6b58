"""Transfers: by which route of law data may pass from one country to another, and the documents that law asks for."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from copyhold.domain.parties import InstitutionId, PersonId
from copyhold.domain.words import Id


class RouteId(Id):
    """An id of a route."""

    prefix = "rte"
    __slots__ = ()


class DocumentId(Id):
    """An id of a document."""

    prefix = "doc"
    __slots__ = ()


class Safeguard(StrEnum):
    """What a transfer to another country rests on."""

    APPROVED_COUNTRY = "approved country"
    TRANSFER_AGREEMENT = "international data transfer agreement"
    STANDARD_CLAUSES = "standard contractual clauses"
    BINDING_RULES = "binding corporate rules"
    EXCEPTION = "exception"


@dataclass(frozen=True)
class Route:
    """A route from an exporter's country to an importer's, for one institution or (None) for all there.

    In force in [from_at, until); the assessment behind it is to be looked at again at `until`.
    """

    id: RouteId
    exporter: str
    importer: str
    institution: InstitutionId | None
    safeguard: Safeguard
    reference: str
    evidence_sha256: str
    from_at: datetime
    until: datetime
    recorded_by: PersonId
    recorded_at: datetime


class DocumentKind(StrEnum):
    """Documents that a decision may ask for."""

    IMPACT_ASSESSMENT = "data protection impact assessment"
    UNDERTAKING = "undertaking not to re-identify"
    PROCESSOR_AGREEMENT = "processor agreement"
    SECURITY_ATTESTATION = "security attestation"
    OWNERSHIP_DECLARATION = "declaration of ownership"
    RESIDENCE_DECLARATION = "declaration of residence"
    TEST_CONSENT = "consent to re-identification tests"


@dataclass(frozen=True)
class Document:
    """A document about a thing, in force in [from_at, until): the newest of a kind takes the place of those before."""

    id: DocumentId
    kind: DocumentKind
    subject: str
    reference: str
    file_sha256: str
    from_at: datetime
    until: datetime
    recorded_by: PersonId
    recorded_at: datetime


@dataclass(frozen=True)
class Listed:
    """A country on a list in [since, until): lists change, so they are dated data with their source, never code."""

    list: str
    country: str
    since: date
    until: date | None
    source: str
