"""The documentation is fresh: generated pages, links, decisions, promises, and commands that messages name."""

import math
import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

import tests.world  # noqa: F401 - rows can be imported only once Django is set up
from copyhold.config.settings import SETTINGS_FILE, Settings
from copyhold.domain.custody import Policy
from copyhold.domain.errors import CopyholdError, InvalidInputError
from copyhold.engines.tracing.hypotheses import prior
from copyhold.engines.tracing.naming import ALPHA, CONTROLS
from copyhold.entrypoints import cli
from copyhold.entrypoints.cli import terminal
from docs.generate import PAGES, REFERENCE
from docs.pages import commands, entries, errors, settings
from tests.attacks import plain
from tests.attacks.leaks import KINDS
from tests.attacks.mutants import MUTANTS

ROOT = Path(__file__).resolve().parents[2]
PROSE = [ROOT / name for name in ("README.md", "ARCHITECTURE.md", "SECURITY.md", "GLOSSARY.md")]
PROSE += sorted((ROOT / "docs").glob("*.md")) + sorted((ROOT / "docs" / "adr").glob("*.md"))
DECISIONS = sorted((ROOT / "docs" / "adr").glob("*.md"))
# What prose names before it is there; a name leaves this list once it is.
COMING = {"docs/evidence.md"}


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_what_the_code_says(name: str) -> None:
    assert (REFERENCE / name).read_text(encoding="utf-8") == PAGES[name](), "run `make docs`"


def test_there_are_no_other_generated_pages() -> None:
    assert {file.name for file in REFERENCE.iterdir()} == set(PAGES)


def test_every_command_is_documented_with_all_that_it_takes() -> None:
    page = (REFERENCE / "commands.md").read_text(encoding="utf-8")
    walked = dict(commands.commands())
    assert {path.split()[0] for path in walked} == set(cli.COMMANDS)
    for path, command in walked.items():
        section = page.split(f"\n## `{path}`\n")[1].split("\n## ")[0]
        for each in command.params:
            assert each.name == "help" or any(word in section for word in (*each.opts, each.metavar or "")), path


def test_every_exit_code_is_documented() -> None:
    codes = {value for name, value in vars(terminal).items() if name.isupper() and isinstance(value, int)}
    assert set(commands.EXIT_CODES) == codes


def test_every_setting_and_variable_is_documented() -> None:
    assert {name for name, _ in settings.FILE.values()} == settings.of_the_file()
    assert set(settings.variables()) == set(settings.ENVIRONMENT)
    assert list(settings.POLICY) == [one.name for one in fields(Policy)]


def test_a_documented_setting_is_read_and_any_other_is_refused(tmp_path: Path) -> None:
    for name, (field, _) in settings.FILE.items():
        table, _, key = name.partition(".")
        (tmp_path / SETTINGS_FILE).write_text(f'[{table}]\n{key} = "told"\n')
        assert getattr(Settings.read(tmp_path), field) == "told"
    (tmp_path / SETTINGS_FILE).write_text('[database]\nother = "told"\n')
    with pytest.raises(InvalidInputError):
        Settings.read(tmp_path)


def test_every_field_of_a_leaf_is_documented() -> None:
    from copyhold.auditlog.entries import Leaf

    leaf = Leaf(0, "12345678-1234-4234-8234-123456789abc", "2026-01-05T09:00:00Z", "log.refused", "p:" + "0" * 32,
                None, None, commitment="A" * 43 + "=", policy=None)  # fmt: skip
    assert [name.encode() in leaf.encode() for name in entries.FIELDS] == [True] * len(entries.FIELDS)


def test_every_error_has_a_family_that_is_documented() -> None:
    known = set(errors.families())
    assert {kind for kind in _below(CopyholdError) if kind.__module__.startswith("copyhold.domain.")} | {
        CopyholdError
    } == known


@pytest.mark.parametrize("code_fix", sorted({(code, fix) for code, _, fix, _ in errors.reasons()}), ids=str)
def test_a_command_that_mends_a_refusal_is_there(code_fix: tuple[str, str]) -> None:
    walked = {path for path, _ in commands.commands()}
    for named in re.findall(r"`([a-z]+(?: [a-z]+)?)`", code_fix[1]):
        assert named in walked or named.split()[0] not in cli.COMMANDS, named


@pytest.mark.parametrize("file", PROSE, ids=[file.name for file in PROSE])
def test_every_link_leads_somewhere(file: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", file.read_text(encoding="utf-8")):
        if not target.startswith("https://"):
            place = (file.parent / target).resolve()
            assert place.exists() or str(place.relative_to(ROOT)) in COMING, target


@pytest.mark.parametrize("file", PROSE, ids=[file.name for file in PROSE])
def test_every_file_that_prose_names_is_there(file: Path) -> None:
    for named in re.findall(r"`([\w/.]+/[\w.]*(?:\.py|/))(?:::\w+)?`", file.read_text(encoding="utf-8")):
        places = (ROOT / named, ROOT / "src" / "copyhold" / named)
        assert any(place.exists() for place in places) or named in COMING, named


def test_every_decision_that_code_or_prose_refers_to_is_there() -> None:
    there = {file.name for file in DECISIONS}
    texts = [*PROSE, *(ROOT / "src").rglob("*.py"), *(ROOT / "tests").rglob("*.py"), *(ROOT / "bench").rglob("*.py")]
    for file in texts:
        for named in re.findall(r"\b(\d{4}-[a-z][a-z-]*\.md)", file.read_text(encoding="utf-8")):
            assert named in there, f"{file.name} names {named}"


def test_decisions_are_numbered_one_by_one_and_say_so_in_their_title() -> None:
    numbers = [int(file.name[:4]) for file in DECISIONS]
    assert numbers == list(range(1, len(numbers) + 1))
    for number, file in zip(numbers, DECISIONS, strict=True):
        assert file.read_text(encoding="utf-8").startswith(f"# {number}. ")


def promises() -> list[tuple[str, str]]:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8").partition("\n## Promises\n")[2].partition("\n## ")[0]
    return re.findall(r"^(\d+)\. (.+?)(?=\n\d+\. |\Z)", text, re.M | re.S)


def test_promises_are_numbered_one_by_one() -> None:
    assert [int(number) for number, _ in promises()] == list(range(1, len(promises()) + 1))


@pytest.mark.parametrize(("number", "told"), promises(), ids=[number for number, _ in promises()])
def test_every_promise_names_a_test_that_is_there(number: str, told: str) -> None:
    named = re.findall(r"`(tests/[\w/.]+\.py)::(test_\w+)`", told)
    assert named, f"promise {number} names no test"
    for file, test in named:
        assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8"), f"{file} has no {test}"


def test_the_readme_has_exactly_two_commands_and_the_makefile_has_both() -> None:
    block = (ROOT / "README.md").read_text(encoding="utf-8").split("```sh\n")[1].split("```")[0]
    asked = [line.split("#")[0].strip() for line in block.strip().splitlines()]
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert asked == ["make demo", "make test"]
    assert {word.split()[1] for word in asked} <= set(targets)


def test_every_dependency_has_its_line_in_the_decision_on_them() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *(one for some in project["optional-dependencies"].values() for one in some)]
    page = (ROOT / "docs" / "adr" / "0004-dependencies.md").read_text(encoding="utf-8")
    rows = {name for row in re.findall(r"^\| ([a-z0-9, -]+) \|", page, re.M) for name in row.split(", ")}
    assert {re.split(r"[\[><=]", one)[0] for one in asked} == rows - {"package"}


def test_the_figures_in_the_decision_on_evidence_are_those_of_the_code() -> None:
    page = " ".join((ROOT / "docs" / "adr" / "0007-evidence.md").read_text(encoding="utf-8").split())
    listed = prior()
    least, most = (choose(one.weight for one in listed) for choose in (min, max))
    for told in (
        f"{len(listed)} pairs of a law ({len({one.law for one in listed})}: strategy",
        f"each is at least {least:.4f}, so a true hypothesis costs at most {-math.log(least):.1f} nats, "
        f"the commonest {-math.log(most):.1f}.",
        f"at most alpha = {ALPHA:.0e}".replace("e-09", "e-9"),
        f"{CONTROLS:,} fresh keys",
        f"{len(KINDS)} kinds of drawn leaks",
        f"{len(MUTANTS)} broken instruments",
        f"in {len(Path(plain.__file__).read_text(encoding='utf-8').splitlines())} lines",
    ):
        assert told in page, told


def _below(kind: type[CopyholdError]) -> Iterator[type[CopyholdError]]:
    for each in kind.__subclasses__():
        yield each
        yield from _below(each)
