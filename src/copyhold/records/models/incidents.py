"""Rows of suspensions."""

from django.db import models

from copyhold.records.models.columns import ID_LENGTH, identity, line, reference


class Suspension(models.Model):
    """A stop; lifted by filling in who and when, never by deletion."""

    id = identity()
    reach = line(16)
    target = line(ID_LENGTH)
    reason = models.TextField(blank=True)
    imposed_by = reference("Person")
    imposed_at = models.DateTimeField()
    lifted_by = reference("Person", null=True)
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        """Asked for by target in every gate; at most one in force per target."""

        db_table = "suspension"
        indexes = (models.Index(fields=["target"], name="suspension_by_target"),)
        constraints = (
            models.UniqueConstraint(
                fields=["reach", "target"],
                condition=models.Q(lifted_at=None),
                name="suspension_in_force",
                violation_error_message="This is suspended already; reinstate it first to suspend it anew.",
            ),
        )
