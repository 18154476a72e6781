"""The keys of KDDI Message Cast in the config, with a default for all that its documents do not say."""

import string
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, Strict, model_validator

from smppgw.carriers import plus_message
from smppgw.carriers.plus_message import PLUS, SMS
from smppgw.carriers.settings import CarrierSettings
from smppgw.settings import Count, Model, Positive, Tag
from smppgw.values import Wrong, did_you_mean

HOUR, DAY = 3600.0, 86400.0

_PLACES = {"aggid", "bot_id", "msg_id"}
"""What a path may name in braces."""


def _path(value: str) -> str:
    try:
        names = [name for _, name, _, _ in string.Formatter().parse(value) if name is not None]
    except ValueError as error:
        raise Wrong(
            f"{value!r} is no path: {error}", "write {aggid}, {bot_id} and {msg_id}, and no other braces"
        ) from None
    for name in names:
        if name not in _PLACES:
            raise Wrong(f"{value!r} has {{{name}}}", did_you_mean(name, _PLACES))
    if not value.startswith("/"):
        raise Wrong(f"{value!r} is no path", "begin it with /")
    return value


def _with_id(value: str) -> str:
    if "{msg_id}" not in value:
        raise Wrong(f"{value!r} does not say where the id is", "write {msg_id} there")
    return value


def _states(value: object) -> object:
    """Words of the config beside the documented ones; in any case."""
    if not isinstance(value, dict):
        return value
    return _STATES | {str(word).lower(): name for word, name in value.items()}


def _places(value: object) -> object:
    return [value] if isinstance(value, str) else value


StateName = Literal["ENROUTE", "DELIVRD", "EXPIRED", "DELETED", "UNDELIV", "ACCEPTD", "UNKNOWN", "REJECTD"]
"""Words of receipts (`stat:`)."""

_STATES: dict[str, StateName] = {
    "pending": "ENROUTE",
    "sent": "ENROUTE",
    "delivered": "DELIVRD",
    "displayed": "DELIVRD",
    "revoked": "DELETED",
}
"""The words that are documented."""

Path = Annotated[str, AfterValidator(_path)]
Places = Annotated[tuple[str, ...], Strict(False), BeforeValidator(_places)]
"""Dotted paths into a JSON body, in any case; the first that leads to something counts."""
Number = Annotated[str, Field(pattern=r"^\+?[0-9]{3,15}$")]
EventKind = Literal["message", "response", "newUser"]


class Fields(Model):
    """Where a notification, a reply or a look-up says what. The documents show the first of `id` alone."""

    items: str = ""
    event: Places = ("event",)
    id: Places = (
        "smsmessage.msgId",
        "RCSMessage.msgId",
        "message.RCSMessage.msgId",
        "msgId",
        "smsmessage.orderId",
        "orderId",
    )
    status: Places = (
        "smsmessage.status",
        "RCSMessage.status",
        "message.RCSMessage.status",
        "status",
    )
    time: Places = (
        "smsmessage.timestamp",
        "RCSMessage.timestamp",
        "message.RCSMessage.timestamp",
        "timestamp",
    )
    error: Places = ()
    source: Places = (
        "messageContact.userContact",
        "message.messageContact.userContact",
        "smsmessage.userContact",
        "userContact",
    )
    destination: Places = ("smsmessage.smsNumber", "smsNumber")
    text: Places = ("smsmessage.smsText", "smsText", "text")
    text_encoded: Places = ("smsmessage.smsTextEnc", "smsTextEnc")
    content: Places = ("RCSMessage", "message.RCSMessage", "message")
    plus_text: Places = ("textMessage",)
    response: Places = ("suggestedResponse.response", "suggestedResponse", "response")


class KddiSettings(CarrierSettings):
    kind: Literal["kddi"] = "kddi"
    url: Annotated[str, Field(pattern=r"^https?://[^/?#]+[^?#]*$")] = "https://api.msg-gw.kddi.com"
    user: Annotated[str, Field(min_length=1, pattern=r"^[^:\x00-\x1f\x7f]+$")]
    password: SecretStr
    aggid: Annotated[str, Field(min_length=1)] = "au"
    bot_id: Annotated[str, Field(min_length=1)]
    sms_numbers: Annotated[tuple[Number, ...], Strict(False)] = ()
    token_au: SecretStr = SecretStr("")
    token_docomo: SecretStr = SecretStr("")
    token_softbank: SecretStr = SecretStr("")
    fallback: plus_message.Fallback = "2"
    dst: Literal["auto", "0", "1", "2", "3", "4"] = "auto"
    longest: Count = 660
    plus_message_tlv: Tag = 0x1501
    plus_message_check: bool = True
    plus_message_cards: Count = plus_message.CARDS
    plus_message_suggestions: Count = plus_message.SUGGESTIONS
    plus_message_address: str = ""
    send_path: Path = "/{aggid}/v1/fallback/rcs/bot/v1/{bot_id}/messages"
    status_path: Annotated[Path, AfterValidator(_with_id)] = (
        "/{aggid}/v1/fallback/rcs/bot/v1/{bot_id}/messages/{msg_id}/status"
    )
    capability_path: Path = "/{aggid}/v1/fallback/rcs/bot/v1/{bot_id}/contactCapabilities"
    capability_field: Annotated[str, Field(min_length=1)] = "userContact"
    subscribers_path: Path = "/{aggid}/v1/fallback/rcs/bot/v1/{bot_id}/subscribers"
    utc_offset: Annotated[float, Field(ge=-14, le=14)] = 9.0
    mo_events: Annotated[tuple[EventKind, ...], Strict(False)] = ("message", "response", "newUser")
    response_as: Literal["text", "postback", "json"] = "text"
    states: Annotated[dict[str, StateName], BeforeValidator(_states)] = Field(
        default_factory=lambda: dict(_STATES), validate_default=True
    )
    fields: Fields = Fields()
    country_code: Annotated[str, Field(pattern=r"^[0-9]{0,3}$")] = "81"
    national_prefix: Annotated[str, Field(pattern=r"^[0-9]{0,4}$")] = "0"
    poll: Annotated[tuple[Positive, ...], Strict(False)] = (
        *(300.0, 1800.0, 6 * HOUR, 24 * HOUR, 72 * HOUR),
        *(7 * DAY, 14 * DAY, 21 * DAY, 31 * DAY),
    )
    poll_end: Literal["wait", "expired", "unknown"] = "expired"

    @property
    def tokens(self) -> tuple[str, str, str]:
        """Of au, docomo and SoftBank; empty where there is none."""
        au, docomo, softbank = self.token_au, self.token_docomo, self.token_softbank
        return au.get_secret_value(), docomo.get_secret_value(), softbank.get_secret_value()

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.fallback != SMS and not any(self.tokens):
            raise Wrong(
                f'fallback = "{self.fallback}" needs a +message account',
                'give token_au, token_docomo and token_softbank, or leave it at "2"',
            )
        if self.fallback == PLUS and self.dst == "4":
            raise Wrong('dst = "4" with fallback = "1" reaches nobody', "Rakuten takes SMS only")
        if self.fallback != PLUS and not self.sms_numbers:
            raise Wrong("sms_numbers is missing", "write the sender number of the account notice")
        for name in ("token_au", "token_docomo", "token_softbank", "password"):
            if not getattr(self, name).get_secret_value().isprintable():
                raise Wrong(f"{name} has characters that no header can hold", "write it as the account notice has it")
        return self
