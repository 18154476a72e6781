"""What the API sees of the gateway."""

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol

from smppgw.config import Config
from smppgw.pipeline import Pipeline
from smppgw.targets import Target


class Gateway(Protocol):
    """It stands behind every router, as `app.state.gateway`."""

    loop: asyncio.AbstractEventLoop
    pipeline: Pipeline
    settings: Config

    @property
    def connectors(self) -> Mapping[str, Any]: ...
    @property
    def targets(self) -> Mapping[str, Target]: ...
    def unready(self) -> list[str]:
        """Why it takes nothing now."""
