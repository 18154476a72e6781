"""What a +message may hold: a text, file, sound, place, rich card or carousel, with suggestions.

The shape is that of GSMA's chatbot API. Keys that this file does not know are passed on untouched. What it knows is
checked, so that a mistake is told by the name of its field before the message leaves, and not by a 400 without words.
"""

import json
from datetime import datetime
from math import inf
from typing import Annotated, Any, Literal, NamedTuple, NoReturn, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

CARDS = 11
"""Cards of one carousel that the service takes."""
SUGGESTIONS = 11
"""Suggestions beside one message, as GSMA limits them."""

Fallback = Literal["0", "1", "2"]
SMS, PLUS, PLUS_OR_SMS = "2", "1", "0"
"""The values of X-Fallback."""


class Malformed(Exception):
    """No +message: why, and in which field."""


class PlusMessage(NamedTuple):
    content: dict[str, Any]
    """The RCSMessage as it came."""
    fallback: Fallback | None
    """What its sender wants X-Fallback to be; None: nothing said."""


def read(octets: bytes, *, check: bool = True, cards: int = CARDS, suggestions: int = SUGGESTIONS) -> PlusMessage:
    """An RCSMessage in JSON, or {"RCSMessage": ..., "fallback": "0"}. Raises Malformed.

    Without `check` any JSON object will do.
    """
    try:
        value = json.loads(octets, parse_constant=_no_number, parse_float=_finite)
    except (ValueError, RecursionError):
        raise Malformed("it is no JSON in UTF-8") from None
    fallback: Fallback | None = None
    if isinstance(value, dict) and "RCSMessage" in value:
        match value.get("fallback"):
            case None | "0" | "1" | "2" as fallback:
                value = value["RCSMessage"]
            case _:
                raise Malformed('fallback: "0", "1" or "2" is expected')
    if not isinstance(value, dict):
        raise Malformed("a JSON object is expected")
    if check:
        try:
            Message.model_validate(value, context={"cards": cards, "suggestions": suggestions})
        except ValidationError as error:
            raise Malformed(_reason(error)) from None
        except RecursionError:
            raise Malformed("it is nested too deeply") from None
    return PlusMessage(value, fallback)


def text(words: str) -> dict[str, Any]:
    """The RCSMessage that is only a text."""
    return {"textMessage": words}


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


def _finite(word: str) -> float:
    value = float(word)
    if value in (inf, -inf):
        _no_number(word)
    return value


def _reason(error: ValidationError) -> str:
    """The first mistake, with the path of its field."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(step) for step in first["loc"])
    words = first["msg"].replace("Input should be", "it should be").replace("Field required", "it is missing")
    return f"{place}: {words}" if place else words


def _wrong(reason: str) -> PydanticCustomError:
    return PydanticCustomError("wrong", "{reason}", {"reason": reason})


# Values


def _web(value: str) -> str:
    if not value.startswith(("https://", "http://")):
        raise _wrong("it should be an http or https URL")
    return value


def _moment(value: str) -> str:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        raise _wrong('it should be a time like "2026-01-31T09:00:00Z"') from None
    return value


def _place(value: str) -> str:
    words = value.replace(",", " ").split()
    try:
        latitude, longitude = (float(word) for word in words)
    except ValueError:
        raise _wrong('it should be "LATITUDE LONGITUDE"') from None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise _wrong("it is nowhere on earth")
    return value


def _number(value: object) -> object:
    if isinstance(value, bool):
        raise _wrong("it should be a number")
    return value


def _few(kind: str) -> AfterValidator:
    """At most as many as the context allows of this kind."""

    def check(value: list[Any], info: ValidationInfo) -> list[Any]:
        limit = info.context[kind] if info.context else {"cards": CARDS, "suggestions": SUGGESTIONS}[kind]
        if len(value) > limit:
            raise _wrong(f"it has {len(value)} {kind}, and at most {limit} are possible")
        return value

    return AfterValidator(check)


Words = Annotated[str, Field(min_length=1)]
Web = Annotated[str, AfterValidator(_web)]
Moment = Annotated[str, AfterValidator(_moment)]
Octets = Annotated[int, Field(ge=0)]


class Part(BaseModel):
    """Strict about what is known; silent about what is not."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True, hide_input_in_errors=True)


def _one_of(part: Part, *names: str) -> list[str]:
    """Which of these it has; none is refused, and so is more than one."""
    given = [name for name in names if getattr(part, name) is not None]
    if len(given) != 1:
        found = " and ".join(given) if given else "nothing of it"
        raise _wrong(f"one of {', '.join(names)} is expected, not {found}")
    return given


# Suggestions


class Postback(Part):
    data: str


class Reply(Part):
    displayText: Words
    postback: Postback | None = None


class OpenUrl(Part):
    url: Words


class UrlAction(Part):
    openUrl: OpenUrl


class Call(Part):
    phoneNumber: Words


class DialerAction(Part):
    dialPhoneNumber: Call | None = None
    dialEnrichedCall: Call | None = None
    dialVideoCall: Call | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        _one_of(self, "dialPhoneNumber", "dialEnrichedCall", "dialVideoCall")
        return self


class Location(Part):
    latitude: Annotated[float | None, BeforeValidator(_number), Field(ge=-90, le=90)] = None
    longitude: Annotated[float | None, BeforeValidator(_number), Field(ge=-180, le=180)] = None
    query: str | None = None
    label: str | None = None

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if not self.query and (self.latitude is None or self.longitude is None):
            raise _wrong("latitude and longitude, or query, are expected")
        return self


class ShowLocation(Part):
    location: Location


class MapAction(Part):
    showLocation: ShowLocation | None = None
    requestLocationPush: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        _one_of(self, "showLocation", "requestLocationPush")
        return self


class Event(Part):
    startTime: Moment
    endTime: Moment
    title: Words
    description: str | None = None


class CalendarAction(Part):
    createCalendarEvent: Event


class ComposeText(Part):
    phoneNumber: Words
    text: str


class ComposeRecording(Part):
    phoneNumber: Words
    type: Literal["AUDIO", "VIDEO"]


class ComposeAction(Part):
    composeTextMessage: ComposeText | None = None
    composeRecordingMessage: ComposeRecording | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        _one_of(self, "composeTextMessage", "composeRecordingMessage")
        return self


class Action(Part):
    displayText: Words
    postback: Postback | None = None
    urlAction: UrlAction | None = None
    dialerAction: DialerAction | None = None
    mapAction: MapAction | None = None
    calendarAction: CalendarAction | None = None
    composeAction: ComposeAction | None = None
    deviceAction: dict[str, Any] | None = None
    settingsAction: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        known = [name for name in _ACTIONS if getattr(self, name) is not None]
        others = [name for name in self.model_extra or () if name.endswith("Action")]
        if len(known) + len(others) != 1:
            raise _wrong(f"one of {', '.join(_ACTIONS)} is expected")
        return self


_ACTIONS = (
    *("urlAction", "dialerAction", "mapAction", "calendarAction", "composeAction"),
    *("deviceAction", "settingsAction"),
)


class Suggestion(Part):
    reply: Reply | None = None
    action: Action | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        _one_of(self, "reply", "action")
        return self


Suggestions = Annotated[list[Suggestion], Field(min_length=1), _few("suggestions")]


class ChipList(Part):
    suggestions: Suggestions


# Files and places


class File(Part):
    fileUrl: Web
    fileName: str | None = None
    fileMIMEType: Words | None = None
    fileSize: Octets | None = None
    thumbnailUrl: Web | None = None
    thumbnailFileName: str | None = None
    thumbnailMIMEType: Words | None = None
    thumbnailFileSize: Octets | None = None


class Geolocation(Part):
    pos: Annotated[str, AfterValidator(_place)]
    label: str | None = None
    radius: Annotated[float | None, BeforeValidator(_number), Field(ge=0)] = None
    timestamp: Moment | None = None
    expiry: Moment | None = None
    timeOffset: int | None = None


# Cards


class Media(Part):
    mediaUrl: Web
    mediaContentType: Words
    mediaFileSize: Octets
    height: Literal["SHORT_HEIGHT", "MEDIUM_HEIGHT", "TALL_HEIGHT"]
    contentDescription: str | None = None
    thumbnailUrl: Web | None = None
    thumbnailContentType: Words | None = None
    thumbnailFileSize: Octets | None = None


class Card(Part):
    media: Media | None = None
    title: str | None = None
    description: str | None = None
    suggestions: Suggestions | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.media is None and not self.title and not self.description:
            raise _wrong("media, title or description is expected")
        return self


class Layout(Part):
    cardOrientation: Literal["HORIZONTAL", "VERTICAL"] | None = None
    imageAlignment: Literal["LEFT", "RIGHT"] | None = None
    cardWidth: Literal["SMALL_WIDTH", "MEDIUM_WIDTH"] | None = None


class Single(Part):
    content: Card
    layout: Layout | None = None


class Carousel(Part):
    content: Annotated[list[Card], Field(min_length=1), _few("cards")]
    layout: Layout | None = None


class Cards(Part):
    generalPurposeCard: Single | None = None
    generalPurposeCardCarousel: Carousel | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        _one_of(self, "generalPurposeCard", "generalPurposeCardCarousel")
        return self


class RichCard(Part):
    message: Cards


class Message(Part):
    """An RCSMessage."""

    textMessage: Words | None = None
    fileMessage: File | None = None
    audioMessage: File | None = None
    geolocationPushMessage: Geolocation | None = None
    richcardMessage: RichCard | None = None
    suggestedChipList: ChipList | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        _one_of(self, "textMessage", "fileMessage", "audioMessage", "geolocationPushMessage", "richcardMessage")
        return self
