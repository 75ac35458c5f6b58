"""Tables whose rows are only ever added: the database itself refuses to change or remove one.

Whoever owns the database can drop a trigger; the published log is what shows that they did.
"""

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

SQLITE = (
    """CREATE TRIGGER {table}_keeps_rows BEFORE DELETE ON {table}
    BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END""",
    """CREATE TRIGGER {table}_keeps_values BEFORE UPDATE ON {table}
    BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END""",
    # INSERT OR REPLACE removes a row without firing the trigger on DELETE.
    """CREATE TRIGGER {table}_keeps_places BEFORE INSERT ON {table}
    WHEN EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key})
    BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END""",
)

POSTGRESQL = (
    """CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '{table} is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$""",
    """CREATE TRIGGER {table}_keeps_rows BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION {table}_append_only()""",
    """CREATE TRIGGER {table}_keeps_all BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()""",
)

GAPLESS_SQLITE = """CREATE TRIGGER audit_event_without_gap BEFORE INSERT ON audit_event
    WHEN NEW.seq <> COALESCE((SELECT MAX(seq) + 1 FROM audit_event), 0)
    BEGIN SELECT RAISE(ABORT, 'audit_event has no gap'); END"""

GAPLESS_POSTGRESQL = (
    """CREATE FUNCTION audit_event_gapless() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.seq <> COALESCE((SELECT MAX(seq) + 1 FROM audit_event), 0) THEN
            RAISE EXCEPTION 'audit_event has no gap' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$""",
    """CREATE TRIGGER audit_event_without_gap BEFORE INSERT ON audit_event
    FOR EACH ROW EXECUTE FUNCTION audit_event_gapless()""",
)


def make_append_only(editor: BaseDatabaseSchemaEditor, table: str, key: str) -> None:
    """Let the database refuse every change to rows of a table whose primary key is `key`."""
    for statement in SQLITE if editor.connection.vendor == "sqlite" else POSTGRESQL:
        editor.execute(statement.format(table=table, key=key))


def make_gapless(editor: BaseDatabaseSchemaEditor) -> None:
    """Let the database refuse an entry that does not follow the last one."""
    if editor.connection.vendor == "sqlite":
        editor.execute(GAPLESS_SQLITE)
        return
    for statement in GAPLESS_POSTGRESQL:
        editor.execute(statement)
