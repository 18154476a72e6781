"""The config: what a file says, what is wrong in it, and what is probably not meant."""

from smppgw.config.checks import SYSTEM_ID
from smppgw.config.doubts import PASSWORD, warnings
from smppgw.config.model import Config
from smppgw.config.problems import ConfigError, Problem
from smppgw.config.reading import load, parse

__all__ = ["PASSWORD", "SYSTEM_ID", "Config", "ConfigError", "Problem", "load", "parse", "warnings"]
