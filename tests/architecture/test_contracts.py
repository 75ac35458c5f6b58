"""The contracts of the house hold, and each of them catches what it is there to catch."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PLANTED = [
    ("floors", "domain/words.py", "import copyhold.rules.permissions"),
    ("circles", "domain/errors.py", "import copyhold.domain.words"),
    ("pure", "rules/permissions.py", "import django"),
    ("words", "domain/words.py", "import numpy"),
    ("django", "actions/log.py", "import django.db"),
    ("records", "jobs/log.py", "import copyhold.records.log"),
    ("models", "actions/log.py", "import copyhold.records.models.log"),
    ("adapters", "jobs/log.py", "import copyhold.adapters.keys_file"),
    ("engines", "actions/log.py", "import copyhold.engines.tables"),
    ("acts", "actions/log.py", "import copyhold.actions.parties"),
    ("doors", "entrypoints/library/__init__.py", "import copyhold.entrypoints.cli.options"),
    ("makes", "adapters/keys_file.py", "import copyhold.adapters.storage_files"),
    ("engine-floors", "engines/tables/__init__.py", "import copyhold.engines.marks.prf"),
    ("keyless", "engines/matching/__init__.py", "import copyhold.engines.tracing.parties"),
]


def lint(root: Path, contract: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the linter on a tree, in a process of its own, as `make lint` does."""
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    chosen = ["--contract", contract] if contract else []
    return subprocess.run(
        [sys.executable, "-c", code, "--no-cache", *chosen],
        cwd=root,
        env={"PYTHONPATH": str(root / "src"), "PATH": "/usr/bin:/bin", "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_contract_holds() -> None:
    ended = lint(ROOT)
    assert ended.returncode == 0, ended.stdout


def test_every_contract_has_a_planted_violation() -> None:
    told = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    written = {line.split('"')[1] for line in told.splitlines() if line.startswith("id = ")}
    assert written == {contract for contract, _, _ in PLANTED}


@pytest.mark.parametrize(("contract", "module", "line"), PLANTED, ids=[contract for contract, _, _ in PLANTED])
def test_a_planted_violation_is_caught(tmp_path: Path, contract: str, module: str, line: str) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.parquet"))
    target = tmp_path / "src" / "copyhold" / module
    text = target.read_text(encoding="utf-8")
    docstring_end = text.index('"""', 3) + 3
    target.write_text(text[:docstring_end] + f"\n{line}  # noqa\n" + text[docstring_end:], encoding="utf-8")
    ended = lint(tmp_path, contract)
    assert ended.returncode != 0, ended.stdout
    assert "BROKEN" in ended.stdout
