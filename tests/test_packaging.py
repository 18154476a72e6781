"""What `pip install .` gives: one command that works, with all that it reads beside it, and completion for shells."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.kit import ROOT, SMPPGW

PACKAGES = ("protocol", "routing", "smppgw")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made of a copy: setuptools leaves its own things where it works."""
    source, made = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in PACKAGES:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    # Without isolation nothing is fetched.
    words = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir"]
    done = subprocess.run([*words, made, source], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    [file] = made.glob("*.whl")
    return file


def test_the_wheel_has_every_file_of_the_packages(wheel: Path) -> None:
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    wanted = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert inside == wanted
    assert {f"{package}/py.typed" for package in PACKAGES} <= inside


def test_an_installed_gateway_works_far_from_its_sources(wheel: Path, tmp_path: Path) -> None:
    """In a new environment; what it depends on is taken from ours, because fetching it again proves nothing."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "env")], check=True)
    python = tmp_path / "env/bin/python"
    site = Path(sysconfig.get_path("purelib", vars={"base": str(tmp_path / "env"), "platbase": str(tmp_path / "env")}))
    words = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel]
    subprocess.run([*map(str, words)], check=True)
    (site / "ours.pth").write_text(sysconfig.get_path("purelib") + "\n")
    where = [str(python), "-c", "import smppgw; print(smppgw.__file__)"]
    said = subprocess.run(where, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert said.strip() == str(site / "smppgw/__init__.py")
    (tmp_path / "gateway.toml").write_text((ROOT / "conf/smppgw.toml").read_text())
    done = subprocess.run(
        [tmp_path / "env/bin/smppgw", "check", "--config", "gateway.toml"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "the config is good" in done.stdout


def test_completion_is_installed_for_the_shell_that_asks(tmp_path: Path) -> None:
    done = typed(tmp_path, ["bash", "-c", f"{SMPPGW} --install-completion; true"])
    assert "bash completion installed" in done.stdout
    assert "smppgw" in (tmp_path / ".bashrc").read_text()
    [script] = (tmp_path / ".bash_completions").glob("smppgw*")
    # As bash itself asks for the words that may follow.
    begun = (
        f'source {script}; COMP_WORDS=(smppgw simul); COMP_CWORD=1; _smppgw_completion smppgw; echo "${{COMPREPLY[@]}}"'
    )
    done = typed(tmp_path, ["bash", "-c", begun])
    assert done.stdout.split() == ["simulate"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_words_to_complete(shell: str, tmp_path: Path) -> None:
    asked = {
        "_SMPPGW_COMPLETE": f"complete_{shell}",
        "_TYPER_COMPLETE_ARGS": "smppgw simul",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "COMP_WORDS": "smppgw simul",
        "COMP_CWORD": "1",
    }
    assert "simulate" in typed(tmp_path, [SMPPGW], **asked).stdout


def typed(home: Path, words: list[str | Path], **environment: str) -> subprocess.CompletedProcess[str]:
    environment = {"HOME": str(home), "PATH": f"{SMPPGW.parent}:{os.environ['PATH']}", **environment}
    return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, check=False)
