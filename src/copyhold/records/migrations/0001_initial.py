"""The rows of every noun, as first released."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Made by makemigrations."""

    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="AuditEdge",
            fields=[
                ("size", models.BigIntegerField(primary_key=True, serialize=False)),
                ("hashes", models.BinaryField()),
            ],
            options={
                "db_table": "audit_edge",
            },
        ),
        migrations.CreateModel(
            name="AuditSigned",
            fields=[
                ("size", models.BigIntegerField(primary_key=True, serialize=False)),
                ("root", models.BinaryField()),
                ("note", models.TextField()),
                ("signed_at", models.DateTimeField()),
            ],
            options={
                "db_table": "audit_signed",
            },
        ),
        migrations.CreateModel(
            name="PayloadKey",
            fields=[
                ("seq", models.BigIntegerField(primary_key=True, serialize=False)),
                ("salt", models.BinaryField()),
            ],
            options={
                "db_table": "payload_key",
            },
        ),
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                ("seq", models.BigIntegerField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("type", models.CharField(max_length=64)),
                ("actor", models.CharField(blank=True, max_length=40)),
                ("subject", models.CharField(blank=True, max_length=40)),
                ("leaf", models.BinaryField()),
                ("sealed", models.BinaryField()),
            ],
            options={
                "verbose_name": "entry",
                "db_table": "audit_event",
                "indexes": [
                    models.Index(fields=["subject", "seq"], name="audit_event_by_subject"),
                    models.Index(fields=["type", "seq"], name="audit_event_by_type"),
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditHead",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("next_seq", models.BigIntegerField(default=0)),
            ],
            options={
                "db_table": "audit_head",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("id", 1)),
                        name="audit_head_is_one",
                        violation_error_message="The log has one counter.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Institution",
            fields=[
                ("id", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=200)),
                ("country", models.CharField(max_length=2)),
                ("ror", models.CharField(blank=True, max_length=64)),
                ("added_at", models.DateTimeField()),
            ],
            options={
                "db_table": "institution",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("name",),
                        name="institution_exists",
                        violation_error_message="There is an institution of this name already; choose another name.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Person",
            fields=[
                ("id", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("email", models.CharField(max_length=254)),
                ("roles", models.JSONField(default=list)),
                ("added_at", models.DateTimeField()),
                (
                    "institution",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="records.institution",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "people",
                "db_table": "person",
            },
        ),
        migrations.CreateModel(
            name="Custody",
            fields=[
                ("id", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("one", models.BooleanField(default=True)),
                ("name", models.CharField(max_length=200)),
                ("four_eyes", models.BooleanField()),
                ("policy", models.JSONField()),
                ("founded_at", models.DateTimeField()),
                (
                    "operator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.person"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "custodies",
                "db_table": "custody",
            },
        ),
        migrations.CreateModel(
            name="RepeatedRefusal",
            fields=[
                ("id", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("actor", models.CharField(blank=True, max_length=40)),
                ("type", models.CharField(max_length=64)),
                ("facts", models.JSONField()),
                ("first_at", models.DateTimeField()),
                ("repeats", models.IntegerField(default=0)),
            ],
            options={
                "db_table": "repeated_refusal",
                "indexes": [models.Index(fields=["first_at"], name="repeated_refusal_by_age")],
            },
        ),
        migrations.CreateModel(
            name="Suspension",
            fields=[
                ("id", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("reach", models.CharField(max_length=16)),
                ("target", models.CharField(max_length=40)),
                ("reason", models.TextField(blank=True)),
                ("imposed_at", models.DateTimeField()),
                ("lifted_at", models.DateTimeField(null=True)),
                (
                    "imposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.person"
                    ),
                ),
                (
                    "lifted_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.person"
                    ),
                ),
            ],
            options={
                "db_table": "suspension",
            },
        ),
        migrations.CreateModel(
            name="Token",
            fields=[
                ("id", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("label", models.CharField(blank=True, max_length=200)),
                ("shown", models.CharField(max_length=16)),
                ("sha256", models.CharField(max_length=64, unique=True)),
                ("issued_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(null=True)),
                (
                    "issued_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.person"
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
                "db_table": "token",
            },
        ),
        migrations.AddConstraint(
            model_name="person",
            constraint=models.UniqueConstraint(
                fields=("email",),
                name="person_exists",
                violation_error_message="There is a person with this e-mail address already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="custody",
            constraint=models.UniqueConstraint(
                fields=("one",),
                name="custody_is_one",
                violation_error_message="This custody is founded already; use another folder for another custody.",
            ),
        ),
        migrations.AddConstraint(
            model_name="custody",
            constraint=models.CheckConstraint(
                condition=models.Q(("one", True)),
                name="custody_one_is_true",
                violation_error_message="A custody is one.",
            ),
        ),
        migrations.AddIndex(
            model_name="suspension",
            index=models.Index(fields=["target"], name="suspension_by_target"),
        ),
        migrations.AddConstraint(
            model_name="suspension",
            constraint=models.UniqueConstraint(
                condition=models.Q(("lifted_at", None)),
                fields=("reach", "target"),
                name="suspension_in_force",
                violation_error_message="This is suspended already; reinstate it first to suspend it anew.",
            ),
        ),
    ]
