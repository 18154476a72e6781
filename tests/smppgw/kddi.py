"""What tests of KDDI share: its account, its replies, and a client that gives them."""

import json
from collections.abc import Mapping
from typing import Any

from multidict import CIMultiDict

from smppgw.carriers.client import Reply
from smppgw.carriers.contract import Answer, Text, Verdict
from smppgw.carriers.kddi import Kddi
from smppgw.carriers.kddi_settings import KddiSettings
from tests.smppgw.hooked import Paper

ID = "6f1d7a52-0c3e-4b8a-9d41-2e5b7c9f0a13"
ACCEPTED = {
    "smsmessage": {"orderId": ID, "status": "pending", "msgId": ID, "timestamp": "2026-01-31T03:04:05.600Z"},
    "Destination": "sms",
}
AT = 1769828645.6
TEXT = "これは、SMSテストメッセージです"
PATH = "/au/v1/fallback/rcs/bot/v1/bot1/messages"
TOKENS = {"token_au": "a", "token_docomo": "Bearer d", "token_softbank": "s"}


class Desk(Paper):
    """Replies the same to everything."""

    def __init__(self, status: int = 202, body: Any = ACCEPTED, headers: Mapping[str, str] | None = None) -> None:
        octets = body if isinstance(body, bytes) else json.dumps(body).encode()
        super().__init__(Reply(status, CIMultiDict(headers or {}), octets))

    @property
    def last(self) -> tuple[str, str, dict[str, str], bytes]:
        """The method, url, headers and body that it was asked."""
        return self.asked[-1]

    @property
    def headers(self) -> dict[str, str]:
        return self.last[2]

    @property
    def json(self) -> Any:
        return json.loads(self.last[3])


def settings(**keys: Any) -> KddiSettings:
    given = {"user": "testUser", "password": "testPass", "bot_id": "bot1", "sms_numbers": ["0312345678"], **keys}
    return KddiSettings.model_validate({"name": "kddi", **given})


def kddi(desk: Desk | None = None, **keys: Any) -> Kddi:
    return Kddi(settings(**keys), desk or Desk())


def text(words: str = TEXT, **fields: Any) -> Text:
    return Text("0123456789abcdef", **{"source": "", "destination": "+819012345678", "text": words, **fields})


async def asked(words: str = TEXT, *, keys: dict[str, Any] | None = None, **fields: Any) -> Desk:
    """What a text becomes."""
    desk = Desk()
    answer = await kddi(desk, **keys or {}).send(text(words, **fields))
    assert answer.verdict is Verdict.SENT, answer
    return desk


async def answer(status: int, body: Any = b"", headers: Mapping[str, str] | None = None, **keys: Any) -> Answer:
    return await kddi(Desk(status, body, headers), **keys).send(text())


CONTACT = {"messageContact": {"userContact": "+819012345678"}}


def result(status: Any, **more: Any) -> dict[str, Any]:
    return {"smsmessage": {"msgId": ID, "status": status, "timestamp": "2026-01-31T03:04:05.600Z", **more}}
