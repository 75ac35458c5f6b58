"""Rows of datasets, their versions, and withdrawals."""

from django.db import models

from copyhold.records.models.columns import digest, identity, line, reference


class Dataset(models.Model):
    """A name under which versions follow each other."""

    id = identity()
    name = line()
    added_at = models.DateTimeField()

    class Meta:
        """Found by name."""

        db_table = "dataset"
        constraints = (
            models.UniqueConstraint(
                fields=["name"],
                name="dataset_exists",
                violation_error_message="There is a dataset of this name already.",
            ),
        )


class Version(models.Model):
    """An immutable snapshot; only its confirmation is filled in later, once."""

    id = identity()
    dataset = reference("Dataset")
    number = models.IntegerField()
    tables = models.JSONField()
    id_column = line(null=True)
    key_columns = models.JSONField()
    participants = models.BigIntegerField()
    dictionary = models.JSONField()
    classification = digest()
    plan_sha256 = digest()
    plan_hash = digest()
    plan_commitment = digest()
    plan_nonce = digest()
    master_root = digest()
    sources = models.JSONField()
    power = models.JSONField()
    terms = models.JSONField()
    added_by = reference("Person")
    added_at = models.DateTimeField()
    tier = line(16, null=True)
    confirmed_by = reference("Person", null=True)
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        """Numbered from 1 within its dataset."""

        db_table = "version"
        constraints = (
            models.UniqueConstraint(
                fields=["dataset", "number"],
                name="version_exists",
                violation_error_message="Somebody added this version meanwhile; start again from the newest.",
            ),
        )


class Withdrawal(models.Model):
    """An intake of withdrawals: counts and a due date, never who."""

    id = identity()
    dataset = reference("Dataset")
    count = models.IntegerField()
    new = models.IntegerField()
    copies = models.IntegerField()
    due_on = models.DateField()
    recorded_by = reference("Person")
    recorded_at = models.DateTimeField()

    class Meta:
        """Newest first by id."""

        db_table = "withdrawal"


class WithdrawnParticipant(models.Model):
    """A withdrawn participant, as a keyed token that says nothing without the key."""

    dataset = reference("Dataset")
    token = models.BinaryField(max_length=16)
    withdrawal = reference("Withdrawal")
    at = models.DateTimeField()

    class Meta:
        """Each once per dataset."""

        db_table = "withdrawn_participant"
        constraints = (
            models.UniqueConstraint(
                fields=["dataset", "token"],
                name="participant_withdrawn",
                violation_error_message="A participant was withdrawn meanwhile; try again.",
            ),
        )
