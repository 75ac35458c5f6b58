"""Rows of projects and their members."""

from django.db import models

from copyhold.records.models.columns import identity, line, reference


class Project(models.Model):
    """An application and its decision."""

    id = identity()
    name = line()
    dataset = reference("Dataset")
    lead = reference("Person")
    purpose = models.JSONField()
    fields = models.JSONField(null=True)
    where = models.TextField(null=True)
    date_shifts = models.IntegerField(null=True)
    until = models.DateTimeField()
    state = line(16)
    applied_by = reference("Person")
    applied_at = models.DateTimeField()
    decided_by = reference("Person", null=True)
    decided_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        """Found by name."""

        db_table = "project"
        constraints = (
            models.UniqueConstraint(
                fields=["name"],
                name="project_exists",
                violation_error_message="There is a project of this name already; choose another name.",
            ),
        )


class Member(models.Model):
    """A person named in a project, from a moment on and perhaps until another."""

    project = reference("Project")
    person = reference("Person")
    named_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)

    class Meta:
        """Named once at a time."""

        db_table = "member"
        constraints = (
            models.UniqueConstraint(
                fields=["project", "person"],
                condition=models.Q(left_at=None),
                name="member_named",
                violation_error_message="This person is named in the project already.",
            ),
        )
