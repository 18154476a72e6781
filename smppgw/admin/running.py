"""What of the gateway is seen and operated."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from smppgw.carriers.connector import CarrierConnector
from smppgw.config import Config, Problem
from smppgw.history.recorder import Recorder
from smppgw.pipeline import Pipeline
from smppgw.smpp.connector import Connector
from smppgw.smpp.listener import Gate
from smppgw.targets import Target

AnyConnector = Connector | CarrierConnector


class Running(Protocol):
    """The app. Everything is looked up anew each time, because a reload replaces what it changes."""

    loop: asyncio.AbstractEventLoop
    path: Path
    pipeline: Pipeline
    settings: Config
    gate: Gate
    recorder: Recorder | None

    @property
    def connectors(self) -> Mapping[str, AnyConnector]: ...
    @property
    def targets(self) -> Mapping[str, Target]: ...

    def unready(self) -> list[str]: ...
    def reload(self) -> tuple[Problem, ...]: ...


class Refused(Exception):
    """What was asked for cannot be: `status` is that of HTTP, `field` what of the request is wrong, if it is that."""

    def __init__(self, status: int, title: str, detail: str = "", field: str = "") -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.detail = detail
        self.field = field
