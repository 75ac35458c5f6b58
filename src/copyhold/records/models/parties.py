"""Rows of institutions and people."""

from django.db import models

from copyhold.records.models.columns import identity, line, reference


class Institution(models.Model):
    """An organisation."""

    id = identity()
    name = line()
    country = line(2)
    ror = line(64, blank=True)
    added_at = models.DateTimeField()

    class Meta:
        """Found by name."""

        db_table = "institution"
        constraints = (
            models.UniqueConstraint(
                fields=["name"],
                name="institution_exists",
                violation_error_message="There is an institution of this name already; choose another name.",
            ),
        )


class Person(models.Model):
    """A person, found by e-mail address."""

    id = identity()
    email = line(254)
    institution = reference("Institution", null=True)
    roles = models.JSONField(default=list)
    added_at = models.DateTimeField()

    class Meta:
        """Found by address."""

        db_table = "person"
        verbose_name_plural = "people"
        constraints = (
            models.UniqueConstraint(
                fields=["email"],
                name="person_exists",
                violation_error_message="There is a person with this e-mail address already.",
            ),
        )
