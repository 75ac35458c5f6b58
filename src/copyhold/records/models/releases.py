"""Rows of parties, their mark keys, and releases."""

from django.db import models

from copyhold.records.models.columns import digest, identity, line, reference


class Party(models.Model):
    """A project at an institution, marked as one."""

    id = identity()
    project = reference("Project")
    institution = reference("Institution")

    class Meta:
        """One per project and institution."""

        db_table = "party"
        verbose_name_plural = "parties"
        constraints = (
            models.UniqueConstraint(
                fields=["project", "institution"],
                name="party_exists",
                violation_error_message="This project is a party at this institution already; try again.",
            ),
        )


class MarkKey(models.Model):
    """A mark key that was issued: its commitment, never the key."""

    dataset = reference("Dataset")
    party = reference("Party")
    epoch = models.IntegerField()
    commitment = digest()
    nonce = digest()
    committed_at = models.DateTimeField()
    spent_at = models.DateTimeField(null=True)

    class Meta:
        """One per dataset, party and epoch."""

        db_table = "mark_key"
        constraints = (
            models.UniqueConstraint(
                fields=["dataset", "party", "epoch"],
                name="mark_key_exists",
                violation_error_message="This party's key was committed to meanwhile; try again.",
            ),
        )


class Release(models.Model):
    """One copy."""

    id = identity()
    project = reference("Project")
    party = reference("Party")
    holder = reference("Person")
    dataset = reference("Dataset")
    version = reference("Version")
    version_number = models.IntegerField()
    state = line(24)
    open = models.BooleanField()
    fields = models.JSONField(null=True)
    where = models.TextField(null=True)
    date_shifts = models.IntegerField(null=True)
    until = models.DateTimeField()
    requested_by = reference("Person")
    requested_at = models.DateTimeField()
    waiver = models.TextField(blank=True)
    parent = reference("Release", null=True)
    approved_by = reference("Person", null=True)
    approved_at = models.DateTimeField(null=True)
    epoch = models.IntegerField(null=True)
    begun_at = models.DateTimeField(null=True)
    issued_at = models.DateTimeField(null=True)
    released_fields = models.JSONField(default=list)
    rows = models.BigIntegerField(null=True)
    participants = models.BigIntegerField(null=True)
    sha256 = digest(blank=True)
    size_bytes = models.BigIntegerField(null=True)
    path = models.TextField(blank=True)
    format = line(16, blank=True)
    plan_hash = digest(blank=True)
    traceability = line(32, null=True)
    power = models.JSONField(default=dict)
    utility = models.JSONField(default=dict)
    kept_until = models.DateField(null=True)
    evidence_sha256 = digest(blank=True)
    note = models.TextField(blank=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        """Listed by state, party and dataset."""

        db_table = "release"
        indexes = (
            models.Index(fields=["state"], name="release_by_state"),
            models.Index(fields=["dataset", "state"], name="release_by_dataset"),
        )
