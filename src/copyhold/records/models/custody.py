"""The row of the custody itself."""

from django.db import models

from copyhold.records.models.columns import identity, line, reference


class Custody(models.Model):
    """The one custody of this database."""

    id = identity()
    one = models.BooleanField(default=True)
    name = line()
    operator = reference("Person")
    four_eyes = models.BooleanField()
    policy = models.JSONField()
    founded_at = models.DateTimeField()
    country = line(2, blank=True, default="")

    class Meta:
        """There is one."""

        db_table = "custody"
        verbose_name_plural = "custodies"
        constraints = (
            models.UniqueConstraint(
                fields=["one"],
                name="custody_is_one",
                violation_error_message="This custody is founded already; use another folder for another custody.",
            ),
            models.CheckConstraint(
                condition=models.Q(one=True), name="custody_one_is_true", violation_error_message="A custody is one."
            ),
        )
