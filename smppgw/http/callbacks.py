"""Receipts and MO messages as signed JSON, to the URL of whoever sent the message, or owns the number."""

import json
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import aiohttp
import structlog

from protocol import pdus, text, tlv, udh
from protocol.consts import FINAL_STATES, EsmClass, MessageState, Status, Tag, Ton
from protocol.receipt import Receipt
from routing.message import Delivery, Message, Waiting, shown
from routing.receipts import wanted
from smppgw import __version__
from smppgw.accounts import AccountState
from smppgw.fronts import Outcome
from smppgw.http.memo import Memo
from smppgw.http.signing import DELIVERY, HEADER, sign
from smppgw.reasons import beneath, why
from smppgw.settings import ApiKey

log = structlog.get_logger()

VERSION = b"\2"
"""What the body of a callback begins with; its URL, the name of its key and its JSON follow, with NULs between."""

RECENT = 10_000
"""Messages that have ended and are still remembered, of each account."""

GONE = 410
"""HTTP: nobody will ever be there again."""

_MOST_REPLY = 1 << 16
_STATES = {int(state): state.name.lower() for state in MessageState}
_UDHI = int(EsmClass.UDHI)
_FIRST, _LAST = -62135596800.0, 253402300799.0
"""0001-01-01 and the last second of 9999: a carrier may name a time of these days in a zone in which it is beyond."""
_INTERNATIONAL, _ALPHANUMERIC = int(Ton.INTERNATIONAL), int(Ton.ALPHANUMERIC)


class Ended(NamedTuple):
    """How a message ended."""

    when: float
    status: str
    source: str
    destination: str
    reference: str
    account: str
    connector: str = ""
    error: str = ""
    upstream: tuple[str, ...] = ()


class ApiFront:
    """Speaks for the messages of one account that came by the API. `clock` gives epoch seconds."""

    def __init__(self, account: AccountState, clock: Callable[[], float]) -> None:
        self._account = account
        self._clock = clock
        self.inbound: tuple[str, ApiKey] | None = None
        """Who gets messages from handsets."""
        self.recent: OrderedDict[int, Ended] = OrderedDict()
        """By id, messages that ended since the start: what is left of them without history."""

    def sent(self, message: Message, connector: bytes) -> bytes | None:
        """Nothing is told: a receipt will be. Without one, this is the end of it."""
        if not message.registered_delivery:
            upstream = tuple(id.decode("latin-1") for id in message.upstream)
            self._remember(message, "sent", connector.decode(), upstream)
        return None

    def ended(self, message: Message, state: int, status: int) -> bytes | None:
        self._remember(message, _STATES[state], message.by, ())
        if not wanted(message.registered_delivery, state):
            return None
        memo = Memo.unpack(message.memo)
        pdu = message.pdu or pdus.decode_submit(message.body)
        said = {"error": Status(status).name if status in Status._value2member_map_ else hex(status)} if status else {}
        return self._receipt(
            memo, message.public, state,
            _number(pdu.source_addr, pdu.source_addr_ton), _number(pdu.destination_addr, pdu.dest_addr_ton), said,
        )  # fmt: skip

    def receipt(self, waiting: Waiting, state: int, found: Receipt) -> bytes | None:
        memo = Memo.unpack(waiting.memo)
        source = _number(waiting.source, waiting.source_ton)
        destination = _number(waiting.destination, waiting.dest_ton)
        error, connector = found.err.decode("latin-1"), waiting.connector.decode()
        upstream = tuple(id.decode("latin-1") for id, _ in waiting.parts)
        if state in FINAL_STATES:
            self._keep(
                waiting.public,
                Ended(self._clock(), _STATES[state], source, destination, memo.reference, self._account.name,
                      connector, error, upstream),
            )  # fmt: skip
        if not wanted(waiting.registered_delivery, state):
            return None
        said: dict[str, Any] = {"error": error, "connector": connector, "upstream_ids": list(upstream)}
        if found.done is not None:
            said["upstream_time"] = iso(found.done)
        return self._receipt(memo, waiting.public, state, source, destination, said)

    def mo(self, connector: str, body: bytes) -> bytes:
        name, key = self.inbound or ("", ApiKey(name=""))
        pdu = pdus.decode_submit(body)
        values = tlv.parse(pdu.tlvs)
        octets = pdu.short_message or values.get(Tag.MESSAGE_PAYLOAD, b"")
        said: dict[str, Any] = {
            "event": "inbound",
            "account": self._account.name,
            "from": _number(pdu.source_addr, pdu.source_addr_ton),
            "to": _number(pdu.destination_addr, pdu.dest_addr_ton),
            "at": iso(self._clock()),
            "connector": connector,
            "data_coding": pdu.data_coding,
        }
        words = udh.text_of(pdu.esm_class, octets)
        if text.is_binary(pdu.data_coding):
            said["base64"] = b64encode(words).decode()
        else:
            said["text"] = text.decode(words, pdu.data_coding, self._account.settings.encoding)
        if pdu.esm_class & _UDHI and (head := octets[: len(octets) - len(words)]):
            said["udh"] = head.hex()
        part = udh.part_of(pdu.esm_class, octets, values)
        if part is not None and part.total > 1:
            said["part"] = {"reference": part.reference, "number": part.number, "total": part.total}
        return _written(key.callback, name, said)

    def _receipt(
        self, memo: Memo, public: int, state: int, source: str, destination: str, more: Mapping[str, Any]
    ) -> bytes | None:
        if not memo.url:
            return None
        said: dict[str, Any] = {
            "event": "receipt",
            "id": shown(public).decode(),
            "reference": memo.reference,
            "account": self._account.name,
            "from": source,
            "to": destination,
            "status": _STATES[state],
            "final": state in FINAL_STATES,
            "at": iso(self._clock()),
        }
        return _written(memo.url, memo.key, said | dict(more))

    def _remember(self, message: Message, status: str, connector: str, upstream: tuple[str, ...]) -> None:
        pdu = message.pdu or pdus.decode_submit(message.body)
        source = _number(pdu.source_addr, pdu.source_addr_ton)
        destination = _number(pdu.destination_addr, pdu.dest_addr_ton)
        reference = Memo.unpack(message.memo).reference
        ended = Ended(
            self._clock(), status, source, destination, reference, message.account, connector, "", upstream
        )  # fmt: skip
        self._keep(message.public, ended)

    def _keep(self, public: int, ended: Ended) -> None:
        self.recent[public] = ended
        if len(self.recent) > RECENT:
            self.recent.popitem(last=False)


class CallbackCaller:
    """One pool of connections for all callbacks. A host of per-message URLs was allowed when the message came."""

    def __init__(self, clock: Callable[[], float], told: Callable[[Delivery, str], None]) -> None:
        self.keys: Mapping[str, ApiKey] = {}
        self.timeout = 10.0
        self._clock = clock
        self._told = told
        self._session: aiohttp.ClientSession | None = None

    async def call(self, delivery: Delivery) -> Outcome:
        """Post what `ApiFront` wrote."""
        url, name, body = read(delivery.body)
        key = self.keys.get(name)
        if key is None or not url or not key.callback_secret.get_secret_value():
            self._told(delivery, "not called")
            log.warning("no callback can be made", account=delivery.account, key=name, reason="the key is gone")
            return Outcome(Status.RX_P_APPN, "the key is gone")
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"smppgw/{__version__}",
            DELIVERY: shown(delivery.id).decode(),
            HEADER: sign(key.callback_secret.get_secret_value().encode(), body, self._clock()),
        }
        if self._session is None:
            # Every account's deliver_window is the limit: one whose application hangs must not hold up another's.
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=60))
        timeout = aiohttp.ClientTimeout(total=self.timeout)
        try:
            async with self._session.post(
                url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as reply:
                status = reply.status
                await reply.content.read(_MOST_REPLY)  # so that the connection can be used again
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return self._failed(delivery, _reason(error))
        if 200 <= status < 300:
            self._told(delivery, f"http {status}")
            return Outcome(Status.ROK)
        return self._failed(delivery, f"http {status}", Status.RX_P_APPN if status == GONE else Status.RSYSERR)

    def _failed(self, delivery: Delivery, reason: str, status: Status = Status.RSYSERR) -> Outcome:
        self._told(delivery, reason)
        log.warning("callback failed", account=delivery.account, attempts=delivery.attempts + 1, reason=reason)
        return Outcome(status, reason)

    async def close(self) -> None:
        """Also when it was never used."""
        if self._session is not None:
            await self._session.close()


def read(body: bytes) -> tuple[str, str, bytes]:
    """The URL, the name of the key and the JSON of a callback."""
    url, name, said = body[1:].split(b"\0", 2)
    return url.decode(), name.decode(), said


def iso(when: float) -> str:
    """RFC 3339, to the millisecond, in UTC; what is beyond the first or last year there is, is its edge."""
    moment = datetime.fromtimestamp(min(max(when, _FIRST), _LAST), UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _written(url: str, key: str, said: Mapping[str, Any]) -> bytes:
    return b"%b%b\0%b\0%b" % (
        VERSION, url.encode(), key.encode(), json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode(),
    )  # fmt: skip


def _number(address: bytes, ton: int) -> str:
    """As a client of the API writes it."""
    said = address.decode("latin-1")
    return f"+{said}" if ton == _INTERNATIONAL and said.isdigit() else said


def _reason(error: Exception) -> str:
    """Without what aiohttp says, in which the URL may be."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    cause = beneath(error)
    return why(cause) if cause is not None else type(error).__name__
