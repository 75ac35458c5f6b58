"""What `pip install .` installs: the wheel as it is built, without a network, and what a plain installation can do."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from email.message import Message
from email.parser import Parser
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SOURCE = ROOT / "src" / "copyhold"
BUILD = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.egg-info")
READERS = {"pyarrow", "pyreadstat", "python-calamine", "polars", "lxml"}  # Parquet and CSV; sav, dta, xpt; xlsx; pages
SERVER = {"psycopg"}  # an extra: a custody on PostgreSQL says so itself where it is missing


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built from a copy of what it is made of, so that nothing is left in the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, folder)
    for name in ("src", "tests", "bench", "docs"):
        shutil.copytree(ROOT / name, folder / name, ignore=LEFT_OUT)
    asked = [sys.executable, "-c", BUILD, str(folder)]
    built = subprocess.run(asked, cwd=folder, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr[-2_000:]
    return zipfile.ZipFile(folder / built.stdout.split()[-1])


@pytest.fixture
def told(wheel: zipfile.ZipFile) -> Message:
    """The wheel's metadata."""
    [name] = [one for one in wheel.namelist() if one.endswith(".dist-info/METADATA")]
    return Parser().parsestr(wheel.read(name).decode())


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    inside = {name for name in wheel.namelist() if ".dist-info/" not in name}
    files = {one for one in SOURCE.rglob("*") if one.is_file() and "__pycache__" not in one.parts}
    assert inside == {one.relative_to(ROOT / "src").as_posix() for one in files}


def test_the_wheel_holds_the_data_of_the_demonstration_and_its_notice(wheel: zipfile.ZipFile) -> None:
    data = SOURCE / "demo_data"
    for name in ("nhanes.parquet", "NOTICE.md"):
        assert wheel.read(f"copyhold/demo_data/{name}") == (data / name).read_bytes()


def test_the_metadata_tells_licence_python_and_command(wheel: zipfile.ZipFile, told: Message) -> None:
    assert (told["Name"], told["Version"]) == (PROJECT["name"], PROJECT["version"])
    assert told["License-Expression"] == "Apache-2.0"
    assert told.get_all("License-File") == ["LICENSE", "NOTICE"]
    assert told["Requires-Python"] == ">=3.11"
    [name] = [one for one in wheel.namelist() if one.endswith(".dist-info/entry_points.txt")]
    assert wheel.read(name).decode().split() == ["[console_scripts]", "copyhold", "=", "copyhold.config.start:console"]
    assert {Path(one).name for one in wheel.namelist()} >= {"LICENSE", "NOTICE"}


def test_a_plain_installation_brings_all_that_the_code_imports(told: Message) -> None:
    plain = {_name(one) for one in told.get_all("Requires-Dist", []) if "extra ==" not in one}
    assert plain >= READERS
    distributions = packages_distributions()
    imported = {name for file in SOURCE.rglob("*.py") for name in _imported(file)} - sys.stdlib_module_names
    needed = {_name(one) for name in imported - {"copyhold"} for one in distributions[name]}
    assert needed - SERVER <= plain


def test_a_bare_import_is_quiet_and_brings_nothing_heavy() -> None:
    assert _modules("import copyhold") & HEAVY == set()


def test_the_help_of_the_command_line_sets_up_neither_database_nor_engines() -> None:
    asked = "import contextlib, io\nfrom copyhold.config.start import run\n"
    assert _modules(asked + "with contextlib.redirect_stdout(io.StringIO()): run(['--help'])") & HEAVY == set()


HEAVY = {"django", "duckdb", "numpy", "pandas", "polars", "pyarrow", "scipy", "typer"}


def _modules(program: str) -> set[str]:
    """Run a program where every warning is an error; give the packages that it loaded, after it said nothing."""
    listing = f"{program}\nimport sys\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    asked = [sys.executable, "-W", "error", "-c", listing]
    where = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    ran = subprocess.run(asked, capture_output=True, text=True, check=True, env=where)
    assert ran.stderr == ""
    [modules] = ran.stdout.splitlines()
    return set(modules.split())


def _imported(file: Path) -> set[str]:
    tree = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    found = set[str]()
    for node in tree:
        if isinstance(node, ast.Import):
            found |= {one.name.partition(".")[0] for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def _name(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\s\[><=!~;(]", requirement)[0]).lower()
