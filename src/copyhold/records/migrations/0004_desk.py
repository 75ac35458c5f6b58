"""What the custody desk remembers."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Made by makemigrations."""

    dependencies = [
        ("records", "0003_case_published"),
    ]

    operations = [
        migrations.CreateModel(
            name="Task",
            fields=[
                ("id", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=40)),
                ("subject", models.CharField(max_length=40)),
                ("owner", models.CharField(max_length=40)),
                ("reach", models.CharField(blank=True, max_length=40)),
                ("told", models.CharField(max_length=400)),
                ("opened_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                ("warn_days", models.JSONField(default=list)),
                ("consequences", models.JSONField(default=list)),
                ("source", models.CharField(blank=True, max_length=40)),
                ("met_at", models.DateTimeField(null=True)),
                ("evidence_sha256", models.CharField(blank=True, max_length=64)),
                ("note", models.TextField(blank=True)),
                (
                    "met_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.person"
                    ),
                ),
            ],
            options={
                "db_table": "task",
                "indexes": [
                    models.Index(fields=["reach", "met_at"], name="task_by_reach"),
                    models.Index(fields=["owner", "met_at", "due_at"], name="task_by_owner"),
                    models.Index(fields=["met_at", "due_at"], name="task_by_due"),
                    models.Index(fields=["source", "met_at"], name="task_by_source"),
                    models.Index(fields=["subject", "kind"], name="task_by_subject"),
                ],
            },
        ),
    ]
