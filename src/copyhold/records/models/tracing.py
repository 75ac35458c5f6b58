"""Rows of cases: each attempt at naming a holder, and what it found."""

from django.db import models

from copyhold.records.models.columns import digest, identity, reference


class Case(models.Model):
    """An attempt, entered before scoring; its answer, its agreement and its publication are each filled in once."""

    id = identity()
    attempt = models.IntegerField()
    leak_sha256 = digest()
    dataset = reference("Dataset")
    keys_issued = models.IntegerField()
    opened_by = reference("Person")
    opened_at = models.DateTimeField()
    concluded_at = models.DateTimeField(null=True)
    held = models.BooleanField(default=False)
    agreed_by = reference("Person", null=True)
    agreed_at = models.DateTimeField(null=True)
    published_at = models.DateTimeField(null=True)
    result = models.JSONField(null=True)

    class Meta:
        """Attempts are counted without a gap over the custody."""

        db_table = "trace_case"
        verbose_name = "case"
        constraints = (
            models.UniqueConstraint(
                fields=["attempt"],
                name="attempt_counted",
                violation_error_message="Another attempt was counted meanwhile; try again.",
            ),
        )
