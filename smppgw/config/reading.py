"""Read a config, and say everything that is wrong with it at once."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from smppgw.config.checks import cross_checks
from smppgw.config.model import Config
from smppgw.config.places import Numbers
from smppgw.config.problems import ConfigError, Problem
from smppgw.config.remainder import without
from smppgw.config.tables import names_in, prepared
from smppgw.config.words import in_words, syntax


def load(path: str | Path) -> Config:
    """Raises ConfigError with all its problems; file names in it are relative to the working directory."""
    try:
        data = tomllib.loads(Path(path).read_bytes().decode())
    except OSError as error:
        problem = Problem(str(path), f"cannot be read: {error.strerror}", "give the path of a config file")
        raise ConfigError((problem,)) from None
    except UnicodeDecodeError as error:
        problem = Problem(str(path), f"octet {error.start} is not UTF-8", "save the file as UTF-8")
        raise ConfigError((problem,)) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError((syntax(str(error)),)) from None
    return parse(data)


def parse(data: Mapping[str, Any]) -> Config:
    """A config from the tables of its file; raises ConfigError."""
    problems: list[Problem] = []
    tables = prepared(data, problems)
    numbers: Numbers = {}
    try:
        config = Config.model_validate(tables)
    except ValidationError as error:
        details = error.errors(include_url=False)
        problems.extend(in_words(detail) for detail in details)
        config, numbers = without(tables, details)
    said = {problem.path for problem in problems}  # what was left out for it is not missing as well
    checks = cross_checks(config, names_in(tables), numbers)
    problems.extend(problem for problem in checks if problem.path not in said)
    if problems:
        raise ConfigError(tuple(dict.fromkeys(problems)))
    return config
