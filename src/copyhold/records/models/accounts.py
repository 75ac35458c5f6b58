"""Rows of service tokens."""

from django.db import models

from copyhold.records.models.columns import digest, identity, line, reference


class Token(models.Model):
    """A service token: its SHA-256, and enough to recognise it in a list."""

    id = identity()
    person = reference("Person")
    label = line(blank=True)
    shown = line(16)
    sha256 = digest(unique=True)
    issued_by = reference("Person")
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        """Found by hash."""

        db_table = "token"
