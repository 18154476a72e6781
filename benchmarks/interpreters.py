"""The Pythons that a gateway can be measured on, each with what smppgw depends on."""

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import FailedError
from benchmarks.timing import optimised

ROOT = Path(__file__).parent.parent
ENVIRONMENTS = ROOT / "build" / "benchmarks"
OLDEST = (3, 11)
_ASK = (
    "import platform, sys; from benchmarks.timing import optimised;"
    "print(platform.python_version(), int(optimised()), int(sys.version_info >= (3, 11)), sys.executable)"
)


@dataclass(frozen=True, slots=True)
class Interpreter:
    """One that runs smppgw from this tree."""

    path: Path
    version: str
    optimised: bool

    @property
    def name(self) -> str:
        return f"CPython {self.version}, {'optimised' if self.optimised else 'not optimised'}"

    @property
    def command(self) -> tuple[str, ...]:
        return (str(self.path), "-m", "smppgw.cli")


def own() -> Interpreter:
    """The one that runs this."""
    return Interpreter(Path(sys.executable), ".".join(str(part) for part in sys.version_info[:3]), optimised())


def other() -> Interpreter | None:
    """One of the PATH that was built the other way (optimised or not), if there is one; in an environment of its own,
    made at the first use."""
    mine = own()
    for path in _on_path():
        found = _look(path)
        if found is not None and found.optimised != mine.optimised:
            return prepared(found)
    return None


def named(path: Path) -> Interpreter:
    """This one, in an environment of its own. FailedError when it is no Python that will do."""
    found = _look(path)
    if found is None:
        raise FailedError(f"{path} is no Python of version {OLDEST[0]}.{OLDEST[1]} or newer")
    return prepared(found)


def prepared(found: Interpreter) -> Interpreter:
    """With the dependencies of smppgw, which itself is imported from this tree."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        wanted: list[str] = tomllib.load(file)["project"]["dependencies"]
    lock = ROOT / "requirements.lock"
    sign = hashlib.sha256(f"{found.path} {found.version} {wanted} {lock.read_text()}".encode()).hexdigest()[:12]
    home = ENVIRONMENTS / f"{found.version}-{sign}"
    if not (home / "complete").exists():
        shutil.rmtree(home, ignore_errors=True)
        _do([str(found.path), "-m", "venv", str(home)])
        _do([str(home / "bin" / "pip"), "install", "-qq", "--disable-pip-version-check", "-c", str(lock), *wanted])
        (home / "complete").touch()
    return Interpreter(home / "bin" / "python", found.version, found.optimised)


def _on_path() -> Iterator[Path]:
    names = ["python3", *(f"python3.{minor}" for minor in range(OLDEST[1], OLDEST[1] + 9))]
    for directory in os.get_exec_path():
        for name in names:
            path = Path(directory) / name
            if os.access(path, os.X_OK):
                yield path


def _look(path: Path) -> Interpreter | None:
    try:
        said = subprocess.run([path, "-c", _ASK], capture_output=True, text=True, check=False, cwd=ROOT, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = said.stdout.split(maxsplit=3)
    if said.returncode or len(words) != 4 or words[2] != "1":
        return None
    return Interpreter(Path(words[3].strip()), words[0], words[1] == "1")


def _do(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise FailedError(f"{' '.join(command[:4])} failed: {(done.stderr or done.stdout).strip()[-500:]}")
