"""What is shipped: the lock, the image, the unit and the scripts agree with the project."""

import os
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def locked() -> dict[str, str]:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pins = (line.partition("==") for line in lines if line and not line.startswith("#"))
    return {canonicalize_name(name): version for name, _, version in pins}


@pytest.mark.parametrize("wanted", [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]])
def test_the_lock_names_a_version_that_the_project_allows(wanted: str) -> None:
    requirement = Requirement(wanted)
    version = locked()[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(version)


@pytest.mark.parametrize("script", [".ci/run", "scripts/setup"])
def test_scripts_can_be_executed(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)


def test_the_image_copies_what_there_is_and_drops_root() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    copied = [line.split()[1:-1] for line in lines if line.startswith("COPY ") and "--from" not in line]
    for source in (name for names in copied for name in names):
        assert (ROOT / source).exists(), source
        assert f"!{source.split('/', maxsplit=1)[0]}" in ignored, source
    assert any(line.startswith("HEALTHCHECK") for line in lines)
    last_user = [line for line in lines if line.startswith("USER ")][-1]
    assert last_user != "USER root"
    assert lines.index(last_user) < next(i for i, line in enumerate(lines) if line.startswith("ENTRYPOINT"))


def test_the_image_has_extras_that_the_project_has_in_versions_of_the_lock() -> None:
    [extras] = re.findall(r"^ARG EXTRAS=(.*)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    wanted = [each for extra in extras.split(",") for each in PROJECT["optional-dependencies"][extra]]
    for requirement in map(Requirement, wanted):
        assert requirement.specifier.contains(locked()[canonicalize_name(requirement.name)])


def test_every_make_target_says_what_it_does() -> None:
    makefile = (ROOT / "Makefile").read_text()
    [phony] = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    told = re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE)
    assert sorted(told) == sorted(phony.split())


def test_the_licence_is_the_one_that_the_project_names() -> None:
    assert PROJECT["license"] == {"text": "Apache-2.0"}
    assert "Apache License\n                           Version 2.0" in (ROOT / "LICENSE").read_text()
