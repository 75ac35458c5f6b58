"""The log's counter, and the tables whose rows the database itself refuses to change."""

from typing import ClassVar

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from copyhold.records.append_only import make_append_only, make_gapless


def start_the_counter(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Put the one row of the counter in place."""
    apps.get_model("records", "AuditHead").objects.create(id=1, next_seq=0)


def protect(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Set the triggers."""
    make_append_only(editor, "audit_event", "seq")
    make_append_only(editor, "audit_signed", "size")
    make_append_only(editor, "evidence", "id")
    make_gapless(editor)


class Migration(migrations.Migration):
    """Not reversible: a log does not become changeable again."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("records", "0001_initial")]
    operations: ClassVar[list[migrations.RunPython]] = [
        migrations.RunPython(start_the_counter),
        migrations.RunPython(protect),
    ]
