"""Rows of agreements, their signatures, routes over borders, and documents."""

from django.db import models

from copyhold.records.models import columns
from copyhold.records.models.columns import ID_LENGTH, digest, identity, line


class Agreement(models.Model):
    """A contract with an institution over a dataset."""

    id = identity()
    title = line()
    text_sha256 = digest()
    institution = columns.reference("Institution")
    dataset = columns.reference("Dataset")
    project = columns.reference("Project", null=True)
    terms = models.JSONField()
    from_at = models.DateTimeField()
    until = models.DateTimeField()
    state = line(16)
    offered_by = columns.reference("Person")
    offered_at = models.DateTimeField()
    parent = columns.reference("Agreement", null=True)
    supersedes = columns.reference("Agreement", null=True)
    signed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True)

    class Meta:
        """Asked for by institution and dataset in every gate."""

        db_table = "agreement"
        indexes = (models.Index(fields=["institution", "dataset"], name="agreement_by_institution"),)


class Signature(models.Model):
    """A signature; rows are only ever added."""

    agreement = columns.reference("Agreement")
    side = line(16)
    person = columns.reference("Person")
    authority = line(blank=True)
    text_sha256 = digest()
    signed_at = models.DateTimeField()

    class Meta:
        """Each side signs once."""

        db_table = "signature"
        constraints = (
            models.UniqueConstraint(
                fields=["agreement", "side"],
                name="side_signed",
                violation_error_message="This side has signed already; look at the agreement again.",
            ),
        )


class Route(models.Model):
    """A route of law from one country to another."""

    id = identity()
    exporter = line(2)
    importer = line(2)
    institution = columns.reference("Institution", null=True)
    safeguard = line(48)
    reference = line(blank=True)
    evidence_sha256 = digest(blank=True)
    from_at = models.DateTimeField()
    until = models.DateTimeField()
    recorded_by = columns.reference("Person")
    recorded_at = models.DateTimeField()

    class Meta:
        """Asked for by countries in every gate of a custody that exports."""

        db_table = "route"
        indexes = (models.Index(fields=["exporter", "importer"], name="route_by_countries"),)


class Document(models.Model):
    """A document about a person, an institution, a project or a dataset."""

    id = identity()
    kind = line(48)
    subject = line(ID_LENGTH)
    reference = line(blank=True)
    file_sha256 = digest(blank=True)
    from_at = models.DateTimeField()
    until = models.DateTimeField()
    recorded_by = columns.reference("Person")
    recorded_at = models.DateTimeField()

    class Meta:
        """Asked for by subject in every gate."""

        db_table = "document"
        indexes = (models.Index(fields=["subject", "kind"], name="document_by_subject"),)
