"""What a client may ask of the API, field by field, and what it is answered."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from protocol.consts import Tag
from smppgw import values

NUMBER = r"^\+?[0-9]{1,20}$"
PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f]*$"
TEXT = 39015
"""Characters of the longest text: 255 parts of 153."""
YEAR = 366 * 86400
MAX_TLVS = 32

_OURS = frozenset({Tag.MESSAGE_PAYLOAD, Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM})


def _moment(said: str) -> str:
    """RFC 3339 with a zone."""
    try:
        moment = datetime.fromisoformat(said.upper().replace("Z", "+00:00"))
    except ValueError:
        raise ValueError('write a time like "2030-01-31T12:00:00+09:00"') from None
    if moment.tzinfo is None:
        raise ValueError('the zone is missing: end it with "Z" or like "+09:00"')
    return said


def _sender(said: str) -> str:
    if len(said) > 11 and not re.fullmatch(r"\+?[0-9]+", said):
        raise ValueError("a name has at most 11 characters, a number at most 20 digits")
    if said.startswith("+") and not said[1:].isdigit():
        raise ValueError("only digits follow a plus sign")
    return said


def _tag(said: object) -> object:
    try:
        tag = values.tag(said)
    except ValueError as error:
        raise ValueError(str(error)) from None
    if tag in _OURS:
        raise ValueError("the gateway writes this one itself")
    return said


def _value(said: object) -> object:
    try:
        values.tlv(said)
    except ValueError as error:
        raise ValueError(str(error)) from None
    return said


TlvTag = Annotated[str, Field(pattern=r"^(0x[0-9A-Fa-f]{1,4}|[0-9]{1,5})$"), AfterValidator(_tag)]
TlvValue = Annotated[
    str | int,
    BeforeValidator(_value),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "maxLength": 65535}, {"type": "integer", "minimum": 0, "maximum": 0xFFFFFFFF}]}
    ),
]
Moment = Annotated[str, Field(max_length=40), AfterValidator(_moment)]
Hex = Annotated[str, Field(min_length=2, pattern=r"^([0-9A-Fa-f]{2})+$")]
Seconds = Annotated[int, Field(ge=1, le=YEAR)]


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=False)


class Content(Model):
    """What is to be said: exactly one of text, hex and base64."""

    text: Annotated[str | None, Field(min_length=1, max_length=TEXT, examples=["Your code is 123456"])] = None
    hex: Annotated[Hex | None, Field(max_length=2 * 65535, description="Octets in hex")] = None
    base64: Annotated[str | None, Field(min_length=4, max_length=87380, description="Octets in base64")] = None
    udh: Annotated[
        Hex | None, Field(max_length=280, description="User data header of octets, in hex, its length octet first")
    ] = None
    coding: Annotated[
        Literal["auto", "gsm", "ascii", "latin1", "ucs2"],
        Field(description="Of a text. auto: the account's default alphabet where it holds every character, else UCS-2"),
    ] = "auto"
    data_coding: Annotated[
        int | None, Field(ge=0, le=255, description="SMPP's number, in place of coding; of octets 4 by default")
    ] = None


class Order(Content):
    """A message to send."""

    to: Annotated[
        str, Field(pattern=NUMBER, description="Digits, with + and country code or as the route expects them",
                   examples=["+819012345678"])
    ]  # fmt: skip
    sender: Annotated[
        str,
        AfterValidator(_sender),
        Field(alias="from", pattern=r"^[ -~]{0,21}$",
              description="A number, or a name of at most 11 characters; empty: the route's sender pool chooses"),
    ] = ""  # fmt: skip
    schedule: Annotated[
        Moment | None, Field(json_schema_extra={"format": "date-time"}, description="Not before this time (RFC 3339)")
    ] = None
    validity: Annotated[
        Seconds | None, Field(description="Seconds from now in which it is tried; the gateway's own by default")
    ] = None
    receipt: Annotated[
        Literal["final", "failure", "all", "none"],
        Field(description="What is asked for: the outcome, a bad one only, what comes on the way too, or nothing"),
    ] = "final"
    callback: Annotated[
        str | None, Field(max_length=2000, pattern=r"^https?://[^\s\x00-\x1f\x7f-\x9f/?#@]+([/?][!-~]*)?$",
                          description="Where its receipt goes, in place of the key's own callback")
    ] = None  # fmt: skip
    reference: Annotated[
        str, Field(max_length=255, pattern=PRINTABLE, description="Yours: it is in every callback")
    ] = ""
    tag: Annotated[str, Field(max_length=63, pattern=PRINTABLE, description="A hint for routes (match.tag)")] = ""
    service_type: Annotated[str, Field(max_length=5, pattern=r"^[ -~]*$")] = ""
    priority: Annotated[int, Field(ge=0, le=3)] = 0
    tlvs: Annotated[
        dict[TlvTag, TlvValue],
        Field(max_length=MAX_TLVS, description='Optional parameters: tag to text, "hex:..." or a number',
              examples=[{"0x1400": "hex:0a1b"}]),
    ] = {}  # fmt: skip

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"to": "+819012345678", "from": "SHOP", "text": "Your code is 123456", "reference": "order-17"}
            ]
        }
    )


class Batch(Model):
    """Several messages, each of them answered for itself."""

    messages: Annotated[
        list[dict[str, Any]],
        Field(min_length=1, description="Each as the body of POST /v1/messages",
              examples=[[{"to": "+819012345678", "from": "SHOP", "text": "One"},
                         {"to": "+819012345679", "from": "SHOP", "text": "Two"}]]),
    ]  # fmt: skip


class Links(BaseModel):
    self: str


class Taken(BaseModel):
    """The message is on disk."""

    id: Annotated[str, Field(examples=["1b5f0c3a52800000"])]
    to: str
    reference: str = ""
    links: Links


class Result(BaseModel):
    """One of a batch: with an id, or with a problem."""

    status: Annotated[int, Field(description="As of a request of its own: 202, 422, 429, 503", examples=[202])]
    id: str | None = None
    to: str | None = None
    reference: str | None = None
    links: Links | None = None
    problem: dict[str, Any] | None = None


class Results(BaseModel):
    """In the order of the request."""

    accepted: int
    refused: int
    results: list[Result]


class Preview(BaseModel):
    """What a text would be on the air."""

    coding: str
    data_coding: int
    characters: int
    octets: int
    parts: Annotated[int, Field(description="Short messages that it takes: what it costs")]
    per_part: Annotated[int, Field(description="Characters (of UCS-2: 16-bit units) or octets in each of them")]
    left: Annotated[int, Field(description="Room in the last one, in the same units")]
    forces_ucs2: Annotated[list[str], Field(description="Characters that the default alphabet lacks, each once")]
    plain: Annotated[str | None, Field(description="The text without them, as `transliterate` would write it")] = None
    plain_parts: int | None = None


class State(BaseModel):
    """What is known of a message."""

    id: str
    status: Annotated[
        Literal["scheduled", "queued", "sending", "waiting", "sent", "delivered", "expired", "deleted",
                "undeliverable", "accepted", "unknown", "rejected", "set_aside", "refused"],
        Field(description="waiting: sent, and its receipt is to come; sent: sent, and no receipt was asked for"),
    ]  # fmt: skip
    final: bool
    account: str = ""
    sender: Annotated[str, Field(serialization_alias="from")] = ""
    to: str = ""
    reference: str = ""
    created: Annotated[str, Field(description="RFC 3339")] = ""
    scheduled: str | None = None
    expires: str | None = None
    attempts: int = 0
    connector: str = ""
    upstream_ids: list[str] = []
    error: Annotated[str, Field(description="Of the receipt, as the upstream said it")] = ""
    callback_owed: Annotated[bool, Field(description="The application does not have its receipt yet")] = False
    known_from: Annotated[
        Literal["gateway", "memory", "history"],
        Field(description="gateway: it is with us; memory: it ended lately; history: from the records of [history]"),
    ] = "gateway"


class Listed(BaseModel):
    """The newest first."""

    messages: list[State]
