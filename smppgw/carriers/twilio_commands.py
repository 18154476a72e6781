"""Twilio wireless Commands: texts and octets to machines, addressed by their SIM instead of a number."""

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlencode

from pydantic import Field, field_validator

from protocol.consts import DataCoding, MessageState, Status
from protocol.receipt import Receipt
from protocol.text import choose, encode
from smppgw.carriers.client import BadReply, Client
from smppgw.carriers.contract import Answer, Capabilities, Heard, Hook, HookRefused, Mo, Operation, Text, never
from smppgw.carriers.twilio import (
    COMMON,
    Account,
    Meaning,
    TwilioSettings,
    error_of,
    is_id,
    limit_of,
    moment_of,
    number_of,
    path_of,
    read_answer,
)
from smppgw.values import Wrong

NARROW, WIDE, OCTETS = 160, 70, 140
"""What one Command holds: characters of one octet, characters of two, octets."""

WITH_SID = 35
"""Characters that a sid takes (34) with the space beside it. Twilio's page counts 32, which would not fit."""

CODES: Mapping[int, Meaning] = {
    **COMMON,
    20404: Meaning("never", Status.RINVDSTADR, "not found"),
    33000: Meaning("later", Status.RSYSERR, "an error that Twilio does not specify"),
    33104: Meaning("never", Status.RINVDSTADR, "the SIM is neither ready nor active"),
    33105: Meaning("never", Status.RSUBMITFAIL, "the SIM may not do this in its state"),
    33107: Meaning("never", Status.RINVDSTADR, "there is no such SIM"),
    33201: Meaning("later", Status.RSYSERR, "the SIM's rate plan does not allow Commands", True),
}
"""Codes of refusals (HTTP 4xx)."""

STATES: Mapping[str, MessageState] = {
    "queued": MessageState.ACCEPTED,
    "sent": MessageState.ENROUTE,
    "delivered": MessageState.DELIVERED,
    "failed": MessageState.UNDELIVERABLE,
}
FAILURES: Mapping[int, bytes] = {33000: b"300"}
"""`err` of receipts, where the last three digits of the code will not do."""

_SIM = re.compile(r"DE[0-9a-fA-F]{32}")
_NUMBER = re.compile(r"\+?[0-9]+")


class CommandsSettings(TwilioSettings):
    kind: Literal["twilio_commands"] = "twilio_commands"
    url: Annotated[str, Field(pattern=r"^https?://[^/?#]+[^?#]*$")] = "https://wireless.twilio.com"
    sims: dict[str, str] = Field(default_factory=dict)
    unlisted: Literal["refuse", "name"] = "refuse"
    include_sid: Literal["none", "start", "end"] = "none"
    callback_method: Literal["POST", "GET"] = "POST"
    mo_destination: str = "2936"
    mo_header: bool = False

    @field_validator("sims")
    @classmethod
    def _both_ways(cls, sims: dict[str, str]) -> dict[str, str]:
        names = {name: sim for name, sim in sims.items() if not name or not sim}
        if names:
            raise Wrong("an alias or a SIM is empty", 'write them like "819012345678" = "DE..."')
        for known in ([alias.removeprefix("+") for alias in sims], list(sims.values())):
            if twice := [name for name in known if known.count(name) > 1]:
                raise Wrong(f"{twice[0]!r} is named twice", "one alias for a SIM, one SIM for an alias")
        return sims


class TwilioCommands:
    """The resource Commands of Programmable Wireless, version 1."""

    kind: ClassVar[str] = "twilio_commands"
    thanks = (b"", "text/plain")

    def __init__(self, settings: CommandsSettings, client: Client) -> None:
        self._settings = settings
        self._account = Account(settings, client)
        self._sims = {alias.removeprefix("+"): sim for alias, sim in settings.sims.items()}
        self._aliases = {sim: alias for alias, sim in self._sims.items()}
        taken = 0 if settings.include_sid == "none" else WITH_SID
        self._narrow, self._wide = NARROW - taken, WIDE - taken
        self.capabilities = Capabilities(longest=self._narrow, binary=OCTETS, header=True, receipts="both")

    async def send(self, text: Text) -> Answer:
        sim = self._sim(text.destination)
        if sim is None:
            return never(Status.RINVDSTADR, "`sims` has no such alias", code="33107")
        if text.binary is not None:
            octets = text.header + text.binary
            if not 0 < len(octets) <= OCTETS:
                return never(Status.RINVMSGLEN, f"{len(octets)} octets, 1 to {OCTETS} fit", code="length")
            command = {"Command": b64encode(octets).decode()}
        elif text.header:
            return never(Status.RINVESMCLASS, "a text has no user data header in Commands", code="header")
        else:
            if refusal := self._too_long(text.text):
                return refusal
            command = {"Command": text.text}
        form = {"Sim": sim, **command}
        if text.receipt and self._account.webhook:
            form["CallbackUrl"] = self._account.webhook
            if self._settings.callback_method == "GET":
                form["CallbackMethod"] = "GET"
        if text.binary is not None:
            form["CommandMode"] = "binary"
        else:
            form["CommandMode"] = "text"
            form["IncludeSid"] = self._settings.include_sid
        if not text.receipt:
            form["DeliveryReceiptRequested"] = "false"
        return read_answer(await self._account.ask("POST", "/v1/Commands", form), CODES)

    def _sim(self, destination: str) -> str | None:
        bare = destination.removeprefix("+")
        if sim := self._sims.get(bare):
            return sim
        if self._settings.unlisted == "refuse" and _NUMBER.fullmatch(destination):
            return None
        return bare or None

    def _too_long(self, text: str) -> Answer | None:
        if choose(text) is DataCoding.DEFAULT:
            length, room = len(encode(text, DataCoding.DEFAULT)), self._narrow
        else:
            length, room = len(text.encode("utf-16-be", "surrogatepass")) // 2, self._wide
        if 0 < length <= room:
            return None
        return never(Status.RINVMSGLEN, f"{length} characters, 1 to {room} fit", code="length")

    def hear(self, hook: Hook) -> Sequence[Heard]:
        fields = self._account.fields(hook)
        id = fields.get("CommandSid", "")
        if not is_id(id):
            raise HookRefused(400, "there is no CommandSid")
        # The result of a Command has CommandStatus, a Command from a SIM has Status.
        if "CommandStatus" not in fields and fields.get("Status") == "received":
            return [self._mo(id, fields)]
        status = fields.get("CommandStatus") or fields.get("Status", "")
        return [_receipt(id.encode(), status, number_of(fields.get("ErrorCode")))]

    def _mo(self, id: str, fields: Mapping[str, str]) -> Mo:
        sid, name = fields.get("SimSid", ""), fields.get("SimUniqueName", "")
        source = self._aliases.get(sid) or self._aliases.get(name) or name or sid
        destination, said = self._settings.mo_destination, fields.get("Command", "")
        if fields.get("CommandMode") != "binary":
            return Mo(id.encode(), source, destination, said)
        try:
            octets = b64decode(said, validate=True)
        except ValueError:
            raise HookRefused(400, "the Command is no base64") from None
        end = octets[0] + 1 if octets and self._settings.mo_header else 0
        if end > len(octets):
            end = 0
        return Mo(id.encode(), source, destination, binary=octets[end:], header=octets[:end])

    async def poll(self, id: bytes) -> Sequence[Heard]:
        command = await self._account.resource("GET", f"/v1/Commands/{path_of(id)}")
        status = command.get("status")
        if not isinstance(status, str):
            raise BadReply("the Command has no status")
        return [_receipt(id, status, 0, moment_of(command.get("date_updated")))]

    # For people

    @property
    def operations(self) -> Mapping[str, Operation]:
        return {"fetch": self._fetch, "list": self._list, "delete": self._delete}

    async def _fetch(self, id: str) -> object:
        """One Command."""
        return await self._account.resource("GET", f"/v1/Commands/{path_of(id)}")

    async def _list(
        self, sim: str = "", status: str = "", direction: str = "", transport: str = "", limit: str = "50"
    ) -> object:
        """The newest Commands; `sim` may be an alias, `direction` is to_sim or from_sim, `transport` sms or ip."""
        most = limit_of(limit)
        known = self._sims.get(sim.removeprefix("+"), sim)
        asked = {"Sim": known, "Status": status, "Direction": direction, "Transport": transport}
        query = {name: value for name, value in asked.items() if value} | {"PageSize": str(min(most, 1000))}
        return await self._account.entries(f"/v1/Commands?{urlencode(query)}", most)

    async def _delete(self, id: str) -> object:
        """Its record is removed; a Command that is under way goes on."""
        return await self._account.resource("DELETE", f"/v1/Commands/{path_of(id)}")


def _receipt(id: bytes, status: str, code: int, done: float | None = None) -> Receipt:
    state, err = STATES.get(status), b"000"
    if status == "failed" and code:
        err = FAILURES.get(code) or error_of(code)
    return Receipt(id, state, err, done=done)
