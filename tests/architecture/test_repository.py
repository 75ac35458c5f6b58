"""What holds for every file of the repository, and for what it installs."""

import re
import subprocess
import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, metadata, requires
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# Folders of the machine that a file was written on; spelled in parts, so that this file does not hold them.
MACHINE = re.compile(rb"(?<![\w.])/(?:" + rb"|".join([rb"work", rb"root", rb"home/\w+", rb"Users/\w+"]) + rb")/")
COPYLEFT = re.compile(r"\bA?GPL|GNU (?:Affero )?General Public", re.I)


def files() -> list[Path]:
    """Return what git keeps or would keep."""
    asked = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(asked, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    return [ROOT / name for name in dict.fromkeys(listed) if name and (ROOT / name).is_file()]


def test_no_file_names_a_folder_of_the_machine_that_it_was_written_on() -> None:
    assert len(files()) > 100
    for file in files():
        assert not MACHINE.search(file.read_bytes()), file.relative_to(ROOT)


def test_the_lock_pins_every_package_by_hash_and_names_no_index() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in lock
    assert "--index" not in lock
    for block in re.split(r"\n(?=\S)", lock.strip()):
        assert re.match(r"[a-z0-9][\w.-]*==\S+", block), block[:60]
        assert "--hash=sha256:" in block, block[:60]


def test_the_lock_holds_every_dependency() -> None:
    pinned = set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements.lock").read_text(encoding="utf-8"), re.M))
    extras = [one for some in PROJECT["optional-dependencies"].values() for one in some]
    assert {name_of(one) for one in [*PROJECT["dependencies"], *extras]} <= pinned


def test_nothing_that_runs_is_under_a_licence_that_binds_what_it_is_linked_with() -> None:
    for name in pulled_in(PROJECT["dependencies"]):
        told = metadata(name)
        words = [told.get("License-Expression", ""), *told.get_all("Classifier", []), told.get("License", "")[:100]]
        assert not [word for word in words if COPYLEFT.search(word)], name


def name_of(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\s\[><=!~;(]", requirement)[0]).lower()


def pulled_in(requirements: Iterable[str]) -> set[str]:
    """Return the names of all packages that are installed for these; what another platform needs is not installed."""
    found: set[str] = set()
    waiting = [name_of(one) for one in requirements]
    while waiting:
        name = waiting.pop()
        try:
            further = requires(name) or []
        except PackageNotFoundError:
            continue
        found.add(name)
        waiting += {name_of(one) for one in further if "extra ==" not in one} - found
    return found
