"""The page of errors: families, codes, exit codes, and every reason for which something is refused."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from copyhold.domain import errors
from copyhold.domain.errors import CopyholdError
from copyhold.domain.verdicts import Refused, Verdict
from copyhold.entrypoints.cli.terminal import exit_code
from copyhold.rules.access import CLOCKS
from copyhold.rules.clocks import CODES, FIX
from docs.pages.markdown import code, first_sentence, table
from docs.pages.markdown import page as whole
from docs.pages.source import HOLE, Call, Function, argument, calls, modules, parameters, texts

# Their codes come from tables of the code, which are read as such.
TABLED = {("rules.access", "_lapsed"), ("rules.clocks", "_overdue")}
REASON = ("code", "reason", "fix")


def page() -> str:
    """Write the page."""
    return whole(
        "Errors and refusals",
        "Every message is one plain sentence or two: what, why, what to do. None carries a cell of a table, a key or "
        "a person's name.",
        "## Families\n\nA family says what the caller can do about it. The codes below it are more exact.",
        table(("error", "code", "exit code", "what it means"), [_family(kind) for kind in families()]),
        "## Further codes",
        table(("code", "error", "where"), sorted(set(further()))),
        f"## Reasons of a refusal\n\nA refusal holds all its reasons. `{HOLE}` stands for what only the case knows.",
        table(("code", "why not", "what mends it", "rule"), sorted(set(reasons()))),
    )


def families() -> list[type[CopyholdError]]:
    """Return the error families of the domain, the widest first."""
    found = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, CopyholdError)]
    return [*found[:1], Refused, *found[1:]]


def _family(kind: type[CopyholdError]) -> tuple[str, ...]:
    made = Refused(Verdict()) if kind is Refused else kind("")
    ends = str(exit_code(made)) if kind is not CopyholdError else f"{exit_code(made)}; 1 where its code is BUG"
    return code(kind.__name__), code(kind.code), ends, first_sentence(kind.__doc__)


def further() -> Iterator[tuple[str, str, str]]:
    """Yield every code that an error is given beside its family's own, with the error and the module."""
    for name, module in modules().items():
        for node in ast.walk(module):
            if isinstance(node, ast.ClassDef) and not name.startswith("domain."):
                yield from ((code(text), code(node.name), name) for text in _own_code(node))
        for call in calls(name):
            given = next((one.value for one in call.node.keywords if one.arg == "code"), None)
            if call.name.endswith("Error"):
                yield from ((code(text), code(call.name), name) for text in texts(given, call.function))


def _own_code(node: ast.ClassDef) -> Iterator[str]:
    if any(isinstance(base, ast.Name) and base.id.endswith("Error") for base in node.bases):
        for line in node.body:
            match line:
                case ast.Assign(targets=[ast.Name(id="code")], value=ast.Constant(value=str(text))):
                    yield text


def reasons() -> Iterator[tuple[str, str, str, str]]:
    """Yield every reason that a rule can give: code, sentence, what mends it, and the module.

    Raises: ValueError where a reason is made in a way that cannot be read off the source.
    """
    for lapsed, what, fix in CLOCKS.values():
        yield code(lapsed), f"No {what} is on record, or it is not in force.", f"{fix[0].upper()}{fix[1:]}.", "access"
    for kind, overdue in CODES.items():
        yield code(overdue), f"The {kind.value} was due on {HOLE}: {HOLE}", FIX, "clocks"
    for name in modules():
        if name.startswith(("rules.", "actions.", "domain.")):
            yield from _reasons_of(name)


def _reasons_of(module: str) -> Iterator[tuple[str, str, str, str]]:
    made = list(calls(module))
    makers: dict[str, list[_Made]] = {}
    while grown := _grown(made, makers):
        makers = grown
    for one in (one for call in made for one in _made(call, makers)):
        if one.passed_on or (module, one.maker) in TABLED:
            continue
        codes, told, fix = one.texts
        if not codes:
            raise ValueError(f"{module}: the code of a reason made in {one.maker} cannot be read off the source")
        for text in codes:
            yield code(text), " / ".join(told) or HOLE, " / ".join(fix) or HOLE, module.partition(".")[2]


@dataclass(frozen=True)
class _Made:
    """A reason as a call makes it: code, sentence and mending, each with the function that its names are of."""

    function: Function | None
    parts: tuple[tuple[ast.expr | None, Function | None], ...]

    @property
    def maker(self) -> str:
        return self.function.name if self.function else ""

    @property
    def passed_on(self) -> bool:
        """Whether a part of it is given by whoever calls the function."""
        names = {value.id for value, home in self.parts if isinstance(value, ast.Name) and home is self.function}
        return bool(names & set(self._given_names))

    @property
    def texts(self) -> list[list[str]]:
        return [texts(value, home) for value, home in self.parts]

    def given_by(self, call: Call) -> "_Made":
        """Return what it is when `call` calls its function."""
        return _Made(call.function, tuple(self._given(call, *part) for part in self.parts))

    def _given(
        self, call: Call, value: ast.expr | None, home: Function | None
    ) -> tuple[ast.expr | None, Function | None]:
        match value:
            case ast.Name(id=name) if home is self.function and name in self._given_names:
                return argument(call.node, self._given_names.index(name), name), call.function
        return value, home

    @property
    def _given_names(self) -> list[str]:
        return parameters(self.function) if self.function else []


def _made(call: Call, makers: Mapping[str, list[_Made]]) -> list[_Made]:
    """Return the reasons that a call makes."""
    if call.name == "Reason":
        parts = [(argument(call.node, place, part), call.function) for place, part in enumerate(REASON)]
        return [_Made(call.function, tuple(parts))]
    return [one.given_by(call) for one in makers.get(call.name, [])] if isinstance(call.node.func, ast.Name) else []


def _grown(made: list[Call], makers: dict[str, list[_Made]]) -> dict[str, list[_Made]]:
    """Return the functions that make reasons of what they are given, with one more round; nothing where none is new."""
    found: dict[str, list[_Made]] = {}
    for call in made:
        for one in _made(call, makers):
            if one.passed_on:
                found.setdefault(one.maker, []).append(one)
    return found if found.keys() != makers.keys() else {}
