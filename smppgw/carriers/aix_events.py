"""Read the events of a notification of AIX, from its JSON or its XML."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final
from xml.etree import ElementTree

NAMES: Final = (
    "type",
    "dateTime",
    "messageId",
    "phoneNumber",
    "carrierId",
    "carrierName",
    "clientTag",
    "statusId",
    "detailedStatusId",
    "separatedSuccessCount",
)
"""The fields of an event, as JSON spells them."""

Event = Mapping[str, object]


class Unreadable(ValueError):
    """It is no notification."""


def of_json(text: str) -> list[Event]:
    """Raises Unreadable. A list or one event is taken where the document has no `eventNotifications`."""
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise Unreadable("it is no JSON") from None
    found = document.get("eventNotifications", document) if isinstance(document, dict) else document
    events = found if isinstance(found, list) else [found]
    return [event for event in events if isinstance(event, dict)]


def of_xml(text: str, names: Mapping[str, str]) -> list[Event]:
    """Raises Unreadable. `names` says which element or attribute stands for a name of JSON.

    AIX does not publish the layout, so an event is whatever element holds a client tag, wherever it stands.
    """
    # A DOCTYPE can declare entities that grow without end or read files: a notification needs none.
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise Unreadable("a DOCTYPE is not taken")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314  without a DOCTYPE there are no entities to expand
    except (ElementTree.ParseError, ValueError, RecursionError):
        raise Unreadable("it is no XML") from None
    meant = {names.get(name, name): name for name in NAMES}
    return [event for element in root.iter() if "clientTag" in (event := dict(_fields(element, meant)))]


def _fields(element: ElementTree.Element, meant: Mapping[str, str]) -> Iterator[tuple[str, object]]:
    for name, value in element.attrib.items():
        if known := meant.get(_local(name)):
            yield known, value
    for child in element:
        if isinstance(child.tag, str) and not len(child) and (known := meant.get(_local(child.tag))):
            yield known, child.text or ""


def _local(name: str) -> str:
    """Without its namespace."""
    return name.rpartition("}")[2]
