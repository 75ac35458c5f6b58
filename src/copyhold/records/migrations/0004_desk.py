"""What the custody desk remembers."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Made by makemigrations."""

    dependencies = [
        ("records", "0003_case_published"),
    ]

    operations = [
        migrations.AddField(
            model_name="custody",
            name="country",
            field=models.CharField(blank=True, default="", max_length=2),
        ),
        migrations.CreateModel(
            name="Agreement",
            fields=[
                ("id", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("title", models.CharField(max_length=200)),
                ("text_sha256", models.CharField(max_length=64)),
                ("terms", models.JSONField()),
                ("from_at", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("state", models.CharField(max_length=16)),
                ("offered_at", models.DateTimeField()),
                ("signed_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("reason", models.TextField(blank=True)),
                (
                    "dataset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.dataset"
                    ),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.institution"
                    ),
                ),
                (
                    "offered_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.person"
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.agreement"
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.project"
                    ),
                ),
                (
                    "supersedes",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.agreement"
                    ),
                ),
            ],
            options={
                "db_table": "agreement",
            },
        ),
        migrations.CreateModel(
            name="Document",
            fields=[
                ("id", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=48)),
                ("subject", models.CharField(max_length=40)),
                ("reference", models.CharField(blank=True, max_length=200)),
                ("file_sha256", models.CharField(blank=True, max_length=64)),
                ("from_at", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("recorded_at", models.DateTimeField()),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.person"
                    ),
                ),
            ],
            options={
                "db_table": "document",
            },
        ),
        migrations.CreateModel(
            name="Route",
            fields=[
                ("id", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("exporter", models.CharField(max_length=2)),
                ("importer", models.CharField(max_length=2)),
                ("safeguard", models.CharField(max_length=48)),
                ("reference", models.CharField(blank=True, max_length=200)),
                ("evidence_sha256", models.CharField(blank=True, max_length=64)),
                ("from_at", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("recorded_at", models.DateTimeField()),
                (
                    "institution",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="records.institution",
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.person"
                    ),
                ),
            ],
            options={
                "db_table": "route",
            },
        ),
        migrations.CreateModel(
            name="Signature",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("side", models.CharField(max_length=16)),
                ("authority", models.CharField(blank=True, max_length=200)),
                ("text_sha256", models.CharField(max_length=64)),
                ("signed_at", models.DateTimeField()),
                (
                    "agreement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.agreement"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.person"
                    ),
                ),
            ],
            options={
                "db_table": "signature",
            },
        ),
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
            },
        ),
        migrations.AddIndex(
            model_name="agreement",
            index=models.Index(fields=["institution", "dataset"], name="agreement_by_institution"),
        ),
        migrations.AddIndex(
            model_name="document",
            index=models.Index(fields=["subject", "kind"], name="document_by_subject"),
        ),
        migrations.AddIndex(
            model_name="route",
            index=models.Index(fields=["exporter", "importer"], name="route_by_countries"),
        ),
        migrations.AddConstraint(
            model_name="signature",
            constraint=models.UniqueConstraint(
                fields=("agreement", "side"),
                name="side_signed",
                violation_error_message="This side has signed already; look at the agreement again.",
            ),
        ),
        migrations.AddIndex(
            model_name="task",
            index=models.Index(fields=["reach", "met_at"], name="task_by_reach"),
        ),
        migrations.AddIndex(
            model_name="task",
            index=models.Index(fields=["owner", "met_at", "due_at"], name="task_by_owner"),
        ),
        migrations.AddIndex(
            model_name="task",
            index=models.Index(fields=["met_at", "due_at"], name="task_by_due"),
        ),
        migrations.AddIndex(
            model_name="task",
            index=models.Index(fields=["source", "met_at"], name="task_by_source"),
        ),
        migrations.AddIndex(
            model_name="task",
            index=models.Index(fields=["subject", "kind"], name="task_by_subject"),
        ),
    ]
