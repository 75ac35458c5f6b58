"""Rows of tasks."""

from django.db import models

from copyhold.records.models.columns import ID_LENGTH, digest, identity, line, reference


class Task(models.Model):
    """Something that somebody must do until an instant; met by filling in who and when, never by deletion."""

    id = identity()
    kind = line(40)
    subject = line(ID_LENGTH)
    owner = line(ID_LENGTH)
    reach = line(ID_LENGTH, blank=True)
    told = line(400)
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    warn_days = models.JSONField(default=list)
    consequences = models.JSONField(default=list)
    source = line(ID_LENGTH, blank=True)
    met_at = models.DateTimeField(null=True)
    met_by = reference("Person", null=True)
    evidence_sha256 = digest(blank=True)
    note = models.TextField(blank=True)

    class Meta:
        """Asked for by reach in every gate, by owner on every home page, by source for a campaign's progress."""

        db_table = "task"
        indexes = (
            models.Index(fields=["reach", "met_at"], name="task_by_reach"),
            models.Index(fields=["owner", "met_at", "due_at"], name="task_by_owner"),
            models.Index(fields=["met_at", "due_at"], name="task_by_due"),
            models.Index(fields=["source", "met_at"], name="task_by_source"),
            models.Index(fields=["subject", "kind"], name="task_by_subject"),
        )
