"""Rows of evidence."""

from django.db import models

from copyhold.records.models.columns import ID_LENGTH, digest, identity, line, reference


class Evidence(models.Model):
    """What was shown for a clock; rows are only ever added, so that any past answer can be given again."""

    id = identity()
    clock = line(16)
    subject = line(ID_LENGTH)
    from_at = models.DateTimeField()
    until = models.DateTimeField()
    recorded_by = reference("Person")
    recorded_at = models.DateTimeField()
    reference = line(blank=True)
    file_sha256 = digest(blank=True)

    class Meta:
        """Asked for by subject in every gate."""

        db_table = "evidence"
        verbose_name_plural = "evidence"
        indexes = (models.Index(fields=["subject", "clock", "recorded_at"], name="evidence_by_subject"),)
