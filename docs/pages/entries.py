"""The page of audit entries: what the log can say, and in which case it says it."""

import ast
from collections.abc import Iterator

from copyhold.auditlog import entries as leaves
from docs.pages.actions import declared
from docs.pages.markdown import code, first_sentence, table
from docs.pages.markdown import page as whole
from docs.pages.source import calls, modules

REFUSED = (
    "A rule refused an action or a reading of the noun. Those alike within a minute are one entry with their number. "
    "The payload holds the permission and the codes of the reasons."
)
FIELDS = {
    "v": "1, the version of this form",
    "seq": "place in the log, from 0",
    "id": "UUID of the entry",
    "t": "the instant in UTC, to the second",
    "type": "one of the types below",
    "actor": "pseudonym of who did it",
    "subject": "pseudonym of what it was done to, or null",
    "project": "pseudonym of the project, or null",
    "c": "base64 of SHA-256(salt of 32 bytes, payload in canonical JSON)",
    "pol": "SHA-256 of the policy set that decided, or null",
    "links": "numbers of earlier entries that this one follows from",
}


def page() -> str:
    """Write the page: the fields of a leaf, then every type of entry."""
    return whole(
        "Audit entries",
        "The public leaf of an entry has these fields and no other. Pseudonyms are keyed, the payload is committed to "
        "and lies sealed in the custody's database; see [0002](../adr/0002-transparency-log.md).",
        table(("field", "what it holds"), [(code(name), FIELDS[name]) for name in _fields()]),
        "## Types\n\nOne act writes one entry, and one more for each further thing that it moved.",
        table(("type", "written when", "by"), sorted(types())),
    )


def types() -> Iterator[tuple[str, str, str]]:
    """Yield every type of entry with the sentence that tells of it and the action that writes it."""
    acts = declared()
    for one in acts:
        if one.entry is not None:
            yield code(one.entry), first_sentence(one.run.__doc__), code(one.name)
    nouns = sorted({one.permission.partition(":")[0] for one in acts})
    yield code("NOUN.refused"), f"{REFUSED} NOUN is one of: {', '.join(nouns)}.", ""
    yield from _further()


def _further() -> Iterator[tuple[str, str, str]]:
    for module in modules():
        if module.startswith("actions."):
            for call in calls(module):
                match call.node.args[:1]:
                    case [ast.Constant(value=str(entry))] if call.name == "also" and call.function is not None:
                        told = f"Besides: {first_sentence(ast.get_docstring(call.function))}"
                        yield code(entry), told, code(module.partition(".")[2])


def _fields() -> list[str]:
    return [name for name in FIELDS if name in leaves._FIELDS] + sorted(leaves._FIELDS - set(FIELDS))
