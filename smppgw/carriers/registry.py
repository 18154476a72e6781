"""Every kind of HTTPS carrier there is: its keys in the config, and what makes it."""

from typing import NamedTuple

from smppgw.carriers.contract import Make
from smppgw.carriers.settings import CarrierSettings


class Kind(NamedTuple):
    settings: type[CarrierSettings]
    make: Make


KINDS: dict[str, Kind] = {}
"""By the value of `kind` in a table [connectors.NAME]; SMPP is the kind of a table that names none."""
