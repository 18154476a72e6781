"""What README.md and docs/ show and name is so: examples run, links lead somewhere, commands and options exist.

```toml blocks are parsed; what the text says to save is saved. ```console blocks of a page run in order, in one empty
directory, with free ports in place of those that are written. What a command says must be what the page shows, but for
numbers and ids; `...` stands for anything, as a line for any lines. ```sh blocks name targets of the Makefile.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer.main

from smppgw import config
from smppgw.cli import app
from smppgw.ports import free_port
from tests.kit import ROOT, SMPPGW, Process, merged, toml

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LANGUAGES = {"toml", "python", "console", "sh", "mermaid"}
SMALLEST = """
[accounts.demo]
password = "secret"
[connectors.smsc]
host = "127.0.0.1"
port = 2801
system_id = "gateway"
password = "secret"
[[routes]]
name = "all"
to = "smsc"
"""


class Block(NamedTuple):
    """A fenced block, and the text between the one before and it."""

    page: Path
    language: str
    body: str
    before: str


def blocks(page: Path) -> Iterator[Block]:
    parts = re.split(r"^```(\w*)\n(.*?)^```$", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    for before, language, body in zip(parts[::3], parts[1::3], parts[2::3], strict=False):
        yield Block(page, language, body, before)


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


ALL = [block for page in PAGES for block in blocks(page)]
SHOWN = [page for page in PAGES if any(block.language == "console" for block in blocks(page))]


def test_every_block_is_of_a_kind_that_is_tried() -> None:
    assert {block.language for block in ALL} <= LANGUAGES


# Configs.


@pytest.mark.parametrize(
    "block", [block for block in ALL if block.language == "toml"], ids=lambda block: named(block.page)
)
def test_every_config_is_good(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "password").write_text("secret\n")
    text = re.sub(r'"/run/secrets/\w+"', f'"{tmp_path / "password"}"', block.body)
    for name in re.findall(r'_env = "(\w+)"', text):
        monkeypatch.setenv(name, "secret")
    shown = tomllib.loads(text)
    whole = {"accounts", "connectors"} <= shown.keys()
    file = tmp_path / "gateway.toml"
    file.write_text(text if whole else toml(merged(tomllib.loads(SMALLEST), shown)))
    settings = config.load(file)
    assert not whole or not config.warnings(settings)


# What is shown in a terminal.


class Step(NamedTuple):
    """A line that the reader types, and what the page says that he sees."""

    command: str
    sees: list[str]


def steps(page: Path) -> list[Step]:
    """Those of its blocks, in order; what the text says to save is saved where it stands."""
    found: list[Step] = []
    for block in blocks(page):
        if block.language in ("toml", "python") and (save := re.search(r"ave this as `([\w.]+)`:\s*$", block.before)):
            found.append(Step(f"cat >{save[1]} <<'END'\n{block.body}END", []))
        if block.language != "console":
            continue
        for line in block.body.splitlines():
            if line.startswith("$ "):
                found.append(Step(line[2:], []))
            elif found[-1].command.endswith("\\"):
                found[-1] = Step(found[-1].command[:-1] + line.strip(), [])
            else:
                found[-1].sees.append(line)
    return found


def pattern(line: str) -> str:
    """Ids and numbers may be others, columns wider; nothing else. Only 0 stays 0: it says that all is well."""
    words = re.split(r"(\b[0-9a-f]{16}\b|\d+(?:[.,:]\d+)*|\s+|\.\.\.)", line.strip())
    return "".join(_pattern(word) for word in words)


def _pattern(word: str) -> str:
    if word == "...":
        return ".*"
    if re.fullmatch(r"[0-9a-f]{16}", word):
        return r"[0-9a-f]{16}"
    if word.isspace():
        return r"\s+"
    return r"\d+(?:[.,:]\d+)*" if word[:1].isdecimal() and word != "0" else re.escape(word)


def as_shown(sees: list[str], said: str) -> bool:
    lines = "".join(r"(?:.*\n)*" if line.strip() == "..." else rf"[ ]*{pattern(line)}[ ]*\n" for line in sees)
    return re.fullmatch(lines, "".join(line + "\n" for line in said.splitlines())) is not None


class Reader:
    """Somebody who types what a page says, in an empty directory; what he leaves in the background ends with him."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._environment = {"PATH": f"{SMPPGW.parent}:{os.environ['PATH']}", "HOME": str(directory), "NO_COLOR": "1"}
        self._ports: dict[str, int] = {}
        self._jobs: list[Process] = []
        self._typed = ""
        self._status = 0

    def reads(self, page: Path) -> None:
        """Nothing may fail, unless the page asks for its status right after it."""
        try:
            for step in steps(page):
                if not step.command.startswith("echo $?"):
                    assert self._status == 0, f"{self._typed} ended with {self._status}"
                self._typed = step.command
                self._types(step)
        finally:
            for job in self._jobs:
                job.close()

    def _types(self, step: Step) -> None:
        command = self._here(step.command)
        if command.startswith("export "):
            self._environment |= dict(word.split("=", 1) for word in shlex.split(command)[1:])
        elif command.endswith("&"):
            self._leaves(command.rstrip("& "), step)
        elif command.startswith(("kill ", "wait ")):
            self._kills(command, step)
        else:
            self._runs(command, step)

    def _here(self, command: str) -> str:
        """The same with other ports, also where a default is meant."""
        command = re.sub(
            r"(--port |port ?= ?|127\.0\.0\.1:|localhost:)(\d+)", lambda found: found[1] + self._port(found[2]), command
        )
        if not re.search(r" --port |--help", command):
            default = self._port("2775")
            command = re.sub(r"smppgw (send|load|simulate smsc)\b", rf"\g<0> --port {default}", command)
        if command.startswith("cat >gateway.toml") and "[[listeners]]" not in command:
            listener = f'[[listeners]]\nhost = "127.0.0.1"\nport = {self._port("2775")}'
            command = command.replace("\n", f"\n{listener}\n[http]\nport = {self._port('9464')}\n", 1)
        if not shutil.which("curl"):
            get = "import sys, urllib.request as web; print(web.urlopen(sys.argv[1]).read().decode())"
            command = re.sub(r"^curl -s ", f'{sys.executable} -c "{get}" ', command)
        return command.replace("$?", str(self._status))

    def _port(self, shown: str) -> str:
        return shown if shown == "0" else str(self._ports.setdefault(shown, free_port()))

    def _leaves(self, command: str, step: Step) -> None:
        """To itself, once it says that it is ready."""
        job = Process(["bash", "-c", command], name=step.command, env=self._environment, cwd=self._directory)
        self._jobs.append(job)
        job.expect_line(r"\] ready " if "smppgw serve" in command else r"^listening on ")
        for line in step.sees:
            job.expect_line(f"^{pattern(line)} *$")

    def _kills(self, command: str, step: Step) -> None:
        """A job by its number, or waits for it; one that is to end has ended then."""
        number = command.rpartition("%")[2]
        job = self._jobs[int(number) - 1]
        if command.startswith("kill "):
            subprocess.run(["bash", "-c", command.replace(f"%{number}", str(job.pid))], check=True)
        if not re.search(r"-(HUP|USR1|USR2) ", command):
            job.ended()
        for line in step.sees:
            job.expect_line(f"^{pattern(line)} *$")

    def _runs(self, command: str, step: Step) -> None:
        done = subprocess.run(
            ["bash", "-c", command],
            env=self._environment,
            cwd=self._directory,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self._status = done.returncode
        if step.sees and not as_shown(step.sees, done.stdout) and not as_shown(step.sees, done.stderr):
            raise AssertionError(
                "\n".join([f"$ {step.command}", done.stdout, done.stderr, "but the page shows:", *step.sees])
            )


@pytest.mark.endtoend
@pytest.mark.parametrize("page", SHOWN, ids=named)
def test_what_a_page_says_to_type_shows_what_it_says(page: Path, tmp_path: Path) -> None:
    Reader(tmp_path).reads(page)


# What is named.


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_make_target_exists(page: Path) -> None:
    made = re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(), re.MULTILINE)
    assert set(made) <= targets()
    lines = [line for block in blocks(page) if block.language == "sh" for line in block.body.splitlines()]
    assert all(line.startswith("make ") for line in lines)


def commands(command: Any = None, name: str = "") -> Iterator[tuple[str, set[str]]]:
    """Each by its words, with its options."""
    command = command or typer.main.get_command(app)
    options = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
    yield name, options | {"--help", "-h"}
    for word, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, f"{name} {word}".strip())


COMMANDS = dict(commands())


def code(page: Path) -> Iterator[str]:
    """Every line of its blocks, without prompts, and every piece of code within its text."""
    text = page.read_text()
    for block in blocks(page):
        if block.language != "mermaid":
            yield from (line.removeprefix("$ ") for line in block.body.replace("\\\n", "").splitlines())
    text = re.sub(r"^```\w*\n.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    yield from re.findall(r"^    (\S.*)$", text, re.MULTILINE)
    yield from re.findall(r"`([^`\n]+)`", text)


def used(line: str) -> Iterator[tuple[str, set[str]]]:
    """The commands of smppgw on a line, with their options."""
    for call in re.findall(r"(?<![\w/.-])smppgw( [^|;&<>]*|$)", line):
        words = shlex.split(call, comments=True)
        name = ""
        while words and f"{name} {words[0]}".strip() in COMMANDS:
            name = f"{name} {words.pop(0)}".strip()
        yield name, {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        if any(known.startswith(f"{name} ".lstrip()) for known in COMMANDS if known != name):
            assert not words or words[0].startswith("-"), f"there is no command `smppgw{call}`"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_command_that_is_named_exists_with_its_options(page: Path) -> None:
    for line in code(page):
        for name, options in used(line):
            assert options <= COMMANDS[name], line


def test_the_page_about_the_tools_has_a_part_for_each_and_names_its_own_options() -> None:
    parts = re.split(r"^## `smppgw ([a-z -]+)`$", (ROOT / "docs/tools.md").read_text(), flags=re.MULTILINE)
    told = dict(zip(parts[1::2], parts[2::2], strict=True))
    groups = {"", "simulate"}
    assert set(told) == {name for name in COMMANDS if name not in groups and not name.startswith("store ")} - {"serve"}
    for name, text in told.items():
        own = set().union(*(options for known, options in COMMANDS.items() if known.startswith(name)))
        assert set(re.findall(r"`(--[a-z-]+)", text)) <= own


# Where links lead.


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    text = re.sub(r"^```\w*\n.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if link.startswith("https://"):
            continue
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link
