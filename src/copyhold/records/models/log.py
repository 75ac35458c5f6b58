"""Rows of the audit log: its counter, its events, what was signed, and refusals that repeat."""

from django.db import models

from copyhold.records.models.columns import ID_LENGTH, digest, line


class AuditHead(models.Model):
    """The one row that every act locks first: the number of the next entry."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    next_seq = models.BigIntegerField(default=0)

    class Meta:
        """The counter is one row."""

        db_table = "audit_head"
        constraints = (
            models.CheckConstraint(
                condition=models.Q(id=1), name="audit_head_is_one", violation_error_message="The log has one counter."
            ),
        )


class AuditEvent(models.Model):
    """One entry: its public leaf, and its payload sealed under a key that can be shredded by itself."""

    seq = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    type = line(64)
    actor = line(ID_LENGTH, blank=True)
    subject = line(ID_LENGTH, blank=True)
    leaf = models.BinaryField()
    sealed = models.BinaryField()

    class Meta:
        """Rows are only ever added; triggers refuse the rest."""

        db_table = "audit_event"
        verbose_name = "entry"
        indexes = (
            models.Index(fields=["subject", "seq"], name="audit_event_by_subject"),
            models.Index(fields=["type", "seq"], name="audit_event_by_type"),
        )


class PayloadKey(models.Model):
    """What is needed, with the master key, to open one entry's payload. Deleting the row shreds the payload."""

    seq = models.BigIntegerField(primary_key=True)
    salt = models.BinaryField()

    class Meta:
        """Apart from the events, because these rows may go and those may not."""

        db_table = "payload_key"


class AuditSigned(models.Model):
    """A checkpoint that was signed; one per size, so that two publishers cannot sign two roots."""

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField()
    note = models.TextField()
    signed_at = models.DateTimeField()

    class Meta:
        """Rows are only ever added."""

        db_table = "audit_signed"


class AuditEdge(models.Model):
    """The right edge of the tree at a size: what is needed to go on without reading everything again."""

    size = models.BigIntegerField(primary_key=True)
    hashes = models.BinaryField()

    class Meta:
        """Derived: may be computed again from the events."""

        db_table = "audit_edge"


class RepeatedRefusal(models.Model):
    """Refusals like one already entered, counted for a minute before they are entered together."""

    id = digest(primary_key=True)
    actor = line(ID_LENGTH, blank=True)
    type = line(64)
    facts = models.JSONField()
    first_at = models.DateTimeField()
    repeats = models.IntegerField(default=0)

    class Meta:
        """Looked through by age in every act."""

        db_table = "repeated_refusal"
        indexes = (models.Index(fields=["first_at"], name="repeated_refusal_by_age"),)
