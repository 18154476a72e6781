"""A command as it is typed, run in the process of the test."""

from pathlib import Path

from typer.testing import CliRunner, Result

from smppgw.cli import app


def smppgw(*words: str | Path | int, stdin: str | None = None, **env: str) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], input=stdin, env=env, catch_exceptions=False)
