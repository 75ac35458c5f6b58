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
            name="Dataset",
            fields=[
                ("id", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=200)),
                ("added_at", models.DateTimeField()),
            ],
            options={
                "db_table": "dataset",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("name",),
                        name="dataset_exists",
                        violation_error_message="There is a dataset of this name already.",
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
            name="Evidence",
            fields=[
                ("id", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("clock", models.CharField(max_length=16)),
                ("subject", models.CharField(max_length=40)),
                ("from_at", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("recorded_at", models.DateTimeField()),
                ("reference", models.CharField(blank=True, max_length=200)),
                ("file_sha256", models.CharField(blank=True, max_length=64)),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.person"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "evidence",
                "db_table": "evidence",
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
            name="Case",
            fields=[
                ("id", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("attempt", models.IntegerField()),
                ("leak_sha256", models.CharField(max_length=64)),
                ("keys_issued", models.IntegerField()),
                ("opened_at", models.DateTimeField()),
                ("concluded_at", models.DateTimeField(null=True)),
                ("held", models.BooleanField(default=False)),
                ("agreed_at", models.DateTimeField(null=True)),
                ("result", models.JSONField(null=True)),
                (
                    "dataset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.dataset"
                    ),
                ),
                (
                    "agreed_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.person"
                    ),
                ),
                (
                    "opened_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.person"
                    ),
                ),
            ],
            options={
                "verbose_name": "case",
                "db_table": "trace_case",
            },
        ),
        migrations.CreateModel(
            name="Project",
            fields=[
                ("id", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=200)),
                ("purpose", models.JSONField()),
                ("fields", models.JSONField(null=True)),
                ("where", models.TextField(null=True)),
                ("date_shifts", models.IntegerField(null=True)),
                ("until", models.DateTimeField()),
                ("state", models.CharField(max_length=16)),
                ("applied_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(null=True)),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "applied_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.person"
                    ),
                ),
                (
                    "dataset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.dataset"
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.person"
                    ),
                ),
                (
                    "lead",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.person"
                    ),
                ),
            ],
            options={
                "db_table": "project",
            },
        ),
        migrations.CreateModel(
            name="Party",
            fields=[
                ("id", models.CharField(max_length=40, primary_key=True, serialize=False)),
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.institution"
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.project"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "parties",
                "db_table": "party",
            },
        ),
        migrations.CreateModel(
            name="Member",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("named_at", models.DateTimeField()),
                ("left_at", models.DateTimeField(null=True)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.person"
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.project"
                    ),
                ),
            ],
            options={
                "db_table": "member",
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
        migrations.CreateModel(
            name="Version",
            fields=[
                ("id", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("number", models.IntegerField()),
                ("tables", models.JSONField()),
                ("id_column", models.CharField(max_length=200, null=True)),
                ("key_columns", models.JSONField()),
                ("participants", models.BigIntegerField()),
                ("dictionary", models.JSONField()),
                ("classification", models.CharField(max_length=64)),
                ("plan_sha256", models.CharField(max_length=64)),
                ("plan_hash", models.CharField(max_length=64)),
                ("plan_commitment", models.CharField(max_length=64)),
                ("plan_nonce", models.CharField(max_length=64)),
                ("master_root", models.CharField(max_length=64)),
                ("sources", models.JSONField()),
                ("power", models.JSONField()),
                ("terms", models.JSONField()),
                ("added_at", models.DateTimeField()),
                ("tier", models.CharField(max_length=16, null=True)),
                ("confirmed_at", models.DateTimeField(null=True)),
                (
                    "added_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.person"
                    ),
                ),
                (
                    "confirmed_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.person"
                    ),
                ),
                (
                    "dataset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.dataset"
                    ),
                ),
            ],
            options={
                "db_table": "version",
            },
        ),
        migrations.CreateModel(
            name="Release",
            fields=[
                ("id", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("version_number", models.IntegerField()),
                ("state", models.CharField(max_length=24)),
                ("open", models.BooleanField()),
                ("fields", models.JSONField(null=True)),
                ("where", models.TextField(null=True)),
                ("date_shifts", models.IntegerField(null=True)),
                ("until", models.DateTimeField()),
                ("requested_at", models.DateTimeField()),
                ("waiver", models.TextField(blank=True)),
                ("approved_at", models.DateTimeField(null=True)),
                ("epoch", models.IntegerField(null=True)),
                ("begun_at", models.DateTimeField(null=True)),
                ("issued_at", models.DateTimeField(null=True)),
                ("released_fields", models.JSONField(default=list)),
                ("rows", models.BigIntegerField(null=True)),
                ("participants", models.BigIntegerField(null=True)),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("size_bytes", models.BigIntegerField(null=True)),
                ("path", models.TextField(blank=True)),
                ("format", models.CharField(blank=True, max_length=16)),
                ("plan_hash", models.CharField(blank=True, max_length=64)),
                ("traceability", models.CharField(max_length=32, null=True)),
                ("power", models.JSONField(default=dict)),
                ("utility", models.JSONField(default=dict)),
                ("kept_until", models.DateField(null=True)),
                ("evidence_sha256", models.CharField(blank=True, max_length=64)),
                ("note", models.TextField(blank=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "approved_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.person"
                    ),
                ),
                (
                    "dataset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.dataset"
                    ),
                ),
                (
                    "holder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.person"
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.release"
                    ),
                ),
                (
                    "party",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.party"
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.project"
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.person"
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.version"
                    ),
                ),
            ],
            options={
                "db_table": "release",
            },
        ),
        migrations.CreateModel(
            name="Withdrawal",
            fields=[
                ("id", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("count", models.IntegerField()),
                ("new", models.IntegerField()),
                ("copies", models.IntegerField()),
                ("due_on", models.DateField()),
                ("recorded_at", models.DateTimeField()),
                (
                    "dataset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.dataset"
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
                "db_table": "withdrawal",
            },
        ),
        migrations.CreateModel(
            name="WithdrawnParticipant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("token", models.BinaryField(max_length=16)),
                ("at", models.DateTimeField()),
                (
                    "dataset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.dataset"
                    ),
                ),
                (
                    "withdrawal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.withdrawal"
                    ),
                ),
            ],
            options={
                "db_table": "withdrawn_participant",
            },
        ),
        migrations.CreateModel(
            name="MarkKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("epoch", models.IntegerField()),
                ("commitment", models.CharField(max_length=64)),
                ("nonce", models.CharField(max_length=64)),
                ("committed_at", models.DateTimeField()),
                ("spent_at", models.DateTimeField(null=True)),
                (
                    "dataset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.dataset"
                    ),
                ),
                (
                    "party",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="records.party"
                    ),
                ),
            ],
            options={
                "db_table": "mark_key",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("dataset", "party", "epoch"),
                        name="mark_key_exists",
                        violation_error_message="This party's key was committed to meanwhile; try again.",
                    )
                ],
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
        migrations.AddIndex(
            model_name="evidence",
            index=models.Index(fields=["subject", "clock", "recorded_at"], name="evidence_by_subject"),
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
        migrations.AddConstraint(
            model_name="case",
            constraint=models.UniqueConstraint(
                fields=("attempt",),
                name="attempt_counted",
                violation_error_message="Another attempt was counted meanwhile; try again.",
            ),
        ),
        migrations.AddConstraint(
            model_name="project",
            constraint=models.UniqueConstraint(
                fields=("name",),
                name="project_exists",
                violation_error_message="There is a project of this name already; choose another name.",
            ),
        ),
        migrations.AddConstraint(
            model_name="party",
            constraint=models.UniqueConstraint(
                fields=("project", "institution"),
                name="party_exists",
                violation_error_message="This project is a party at this institution already; try again.",
            ),
        ),
        migrations.AddConstraint(
            model_name="member",
            constraint=models.UniqueConstraint(
                condition=models.Q(("left_at", None)),
                fields=("project", "person"),
                name="member_named",
                violation_error_message="This person is named in the project already.",
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
        migrations.AddConstraint(
            model_name="version",
            constraint=models.UniqueConstraint(
                fields=("dataset", "number"),
                name="version_exists",
                violation_error_message="Somebody added this version meanwhile; start again from the newest.",
            ),
        ),
        migrations.AddIndex(
            model_name="release",
            index=models.Index(fields=["state"], name="release_by_state"),
        ),
        migrations.AddIndex(
            model_name="release",
            index=models.Index(fields=["dataset", "state"], name="release_by_dataset"),
        ),
        migrations.AddConstraint(
            model_name="withdrawnparticipant",
            constraint=models.UniqueConstraint(
                fields=("dataset", "token"),
                name="participant_withdrawn",
                violation_error_message="A participant was withdrawn meanwhile; try again.",
            ),
        ),
    ]
