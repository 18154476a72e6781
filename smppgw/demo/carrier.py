"""The simulated HTTPS carriers of the demo: how they are started, asked, and known to the gateway."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from smppgw.carriers.client import BadReply, HttpClient
from smppgw.demo.programs import Simulator
from smppgw.demo.story import DemoError
from smppgw.exchange import Unanswered, Unsent

_LOOK = 0.2
_ALL = 200_000


class Kind(NamedTuple):
    """One simulated carrier, and what the story does with it."""

    name: str
    words: Sequence[str]
    """Of `smppgw simulate`."""
    keys: str
    """Of its connector."""
    source: str
    """What the desk sends from, which is how the gateway knows where to send."""
    handset: str
    answer: Mapping[str, str] | None = None
    """What the handset says; None: there are no answers by this API."""


KINDS = (
    Kind(
        "AIX",
        ("--receipt-after", "0.5"),
        'kind = "aix"\ntoken = "0123456789abcdef0123456789abcdef"\nclient_id = "1234"\nsms_code = "12345"\n'
        'poll = ["4s", "10s"]',  # what it notifies of while the gateway is dead it soon gives up
        "12345",
        "817010000001",
    ),
    Kind(
        "KDDI",
        ("--receipt-after", "0.5", "--number", "0312345678"),
        'kind = "kddi"\nuser = "testUser"\npassword = "testPass"\nbot_id = "bot1"\nsms_numbers = ["0312345678"]\n'
        "poll = []",
        "0312345678",
        "817010000002",
        {"from": "+817010000002", "to": "0312345678", "text": "はい、伺います"},
    ),
    Kind(
        "Twilio",
        ("--receipt-after", "0.5", "--auth-token", "12345", "--number", "+15017122661"),
        f'kind = "twilio_messages"\naccount_sid = "AC{"a" * 32}"\nauth_token = "12345"\nsender = "+15017122661"',
        "+15017122661",
        "817010000003",
        {"from": "+817010000003", "to": "+15017122661", "text": "遅れます。10分ほど"},
    ),
    Kind(
        "Vonage",
        ("--receipt-after", "0.5"),
        'kind = "vonage"\napi_key = "abcd1234"\napi_secret = "abcdef0123456789"\nsender = "Acme"',
        "Acme",
        "817010000004",
        {"from": "817010000004", "to": "12345", "text": "キャンセル"},
    ),
)


_WEBHOOKS = """
[webhooks]
host = "127.0.0.1"
port = {hooks}
[accounts.desk]
password = "secret"
[[mo_routes]]
account = "desk"
"""
_CONNECTOR = """
[connectors.{name}]
url = "http://127.0.0.1:{port}"
webhook_path = "/{name}"
webhook_url = "{webhook}"
retry = ["500ms", "1s"]
{keys}
[[routes]]
name = "desk-{name}"
to = "{name}"
match = {{ account = "desk", source = "{source}" }}
"""


class Carrier(Simulator):
    """`smppgw simulate aix` or another, and what it says of itself over HTTP."""

    def __init__(self, kind: Kind, directory: Path, webhook: str) -> None:
        super().__init__(kind.name, directory)
        self.kind = kind
        self.webhook = webhook
        self.counts: dict[str, int] = {}
        self.before = 0
        """Messages that do not belong to the load."""
        self._client: HttpClient | None = None
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._simulate(self.name.lower(), "--webhook", self.webhook, *self.kind.words)
        self._client = HttpClient(f"http://127.0.0.1:{self.port}", connections=2, connect=2.0, timeout=10.0)
        self._watching = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            with contextlib.suppress(DemoError):  # what it did meanwhile is seen the next time
                self.counts = await self.ask("GET", "/-/counts")
            await asyncio.sleep(_LOOK)

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        """Of its control requests."""
        if self._client is None:
            raise DemoError(f"{self.name} was not started")
        try:
            reply = await self._client.request(method, path, json=body)
            if reply.status != 200:
                raise DemoError(f"{self.name} answered {path} with {reply.status}: {reply.excerpt}")
            return reply.json()
        except (Unsent, Unanswered, BadReply) as error:
            raise DemoError(f"{self.name} cannot be asked: {error}; see {self.log}") from None

    async def taken(self, prefix: str) -> list[Mapping[str, str]]:
        """What it accepted for destinations that begin so."""
        found = await self.ask("GET", f"/-/messages?limit={_ALL}")
        return [each for each in found if each["to"].removeprefix("+").startswith(prefix)]

    @property
    def submits(self) -> int:
        return self.counts.get("accepted", 0) - self.before

    @property
    def state(self) -> str:
        return "[green]listening"

    async def kill(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
        try:
            await super().kill()
        finally:
            if self._client is not None:
                await self._client.close()


def config(hooks: int, carriers: Sequence[Carrier]) -> str:
    """What the gateway's config needs for them, and for the desk, whose senders choose among them."""
    return _WEBHOOKS.format(hooks=hooks) + "".join(
        _CONNECTOR.format(
            name=each.name.lower(), port=each.port, webhook=each.webhook, keys=each.kind.keys,
            source=each.kind.source.removeprefix("+"),
        )
        for each in carriers
    )  # fmt: skip
