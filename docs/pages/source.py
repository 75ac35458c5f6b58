"""What can be read off the source without running it: calls, and the words that they are given."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "src" / "copyhold"
HOLE = "…"  # stands for what is known only when the program runs

Function = ast.FunctionDef


@dataclass(frozen=True)
class Call:
    """A call in the source: its module, the innermost function around it, and what was called."""

    module: str
    function: Function | None
    node: ast.Call
    name: str


@cache
def modules() -> dict[str, ast.Module]:
    """Return every module of the source, parsed, by its dotted name below copyhold."""
    files = sorted(SOURCE.rglob("*.py"))
    return {
        ".".join(file.relative_to(SOURCE).with_suffix("").parts): ast.parse(file.read_text("utf-8")) for file in files
    }


def calls(module: str) -> Iterator[Call]:
    """Yield every call of a module by a name or an attribute."""
    yield from _calls(module, modules()[module], None)


def _calls(module: str, node: ast.AST, function: Function | None) -> Iterator[Call]:
    for child in ast.iter_child_nodes(node):
        inside = child if isinstance(child, ast.FunctionDef) else function
        if isinstance(child, ast.Call) and isinstance(child.func, ast.Name | ast.Attribute):
            name = child.func.id if isinstance(child.func, ast.Name) else child.func.attr
            yield Call(module, function, child, name)
        yield from _calls(module, child, inside)


def argument(call: ast.Call, place: int, name: str) -> ast.expr | None:
    """Return an argument by its place or its name."""
    if place < len(call.args):
        return call.args[place]
    return next((one.value for one in call.keywords if one.arg == name), None)


def parameters(function: Function) -> list[str]:
    """Return the names of a function's positional parameters."""
    return [one.arg for one in (*function.args.posonlyargs, *function.args.args)]


def texts(expression: ast.expr | None, function: Function | None) -> list[str]:
    """Return the texts that an expression can be, with a hole where a part of them is known only at run time.

    A name is followed to what the function assigned to it last before; what is no text gives nothing.
    """
    match expression:
        case ast.Constant(value=str(value)):
            return [value]
        case ast.JoinedStr(values=values):
            return ["".join(str(one.value) if isinstance(one, ast.Constant) else HOLE for one in values)]
        case ast.IfExp(body=body, orelse=other):
            return texts(body, function) + texts(other, function)
        case ast.Name() if function is not None:
            return texts(_assigned(expression, function), function)
    return []


def _assigned(name: ast.Name, function: Function) -> ast.expr | None:
    before = [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and node.lineno < name.lineno
        and any(isinstance(to, ast.Name) and to.id == name.id for to in node.targets)
    ]  # fmt: skip
    return max(before, key=lambda node: node.lineno).value if before else None
