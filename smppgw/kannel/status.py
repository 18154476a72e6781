"""What Kannel's admin port answers with: the status and the store in text, HTML, XML and WML, byte for byte."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any, NamedTuple
from xml.sax.saxutils import escape


class Form(Enum):
    """What an answer is written in."""

    TEXT = "text"
    HTML = "html"
    XML = "xml"
    WML = "wml"


class Load(NamedTuple):
    """Messages a second: within the last minute, the last five, and since the start."""

    minute: float = 0.0
    five: float = 0.0
    ever: float = 0.0

    def __str__(self) -> str:
        return f"{self.minute:.2f},{self.five:.2f},{self.ever:.2f}"


QUIET = Load()


@dataclass(frozen=True, slots=True)
class Traffic:
    """Of one kind of messages."""

    received: int = 0
    sent: int = 0
    inbound: Load = QUIET
    outbound: Load = QUIET


@dataclass(frozen=True, slots=True)
class Box:
    """Whoever takes messages from mobiles."""

    type: str
    id: str
    ip: str
    queued: int
    seconds: float
    """Since it came."""
    ssl: bool = False


@dataclass(frozen=True, slots=True)
class SmscLine:
    """One link to an SMSC."""

    name: str
    admin_id: str
    id: str
    status: str
    """"online 7s", "connecting", "re-connecting", "disconnected" or "dead"."""
    sms: Traffic = Traffic()
    dlr: Traffic = Traffic()
    failed: int = 0
    queued: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """All that the status says."""

    version: str
    """In lines, each with its end."""
    state: str
    seconds: float
    sms: Traffic = Traffic()
    sms_in: int = 0
    """Messages from mobiles that wait."""
    sms_out: int = 0
    stored: int = 0
    dlr: Traffic = Traffic()
    dlr_waiting: int = 0
    """Messages whose receipts are still to come."""
    storage: str = "internal"
    boxes: tuple[Box, ...] = ()
    smscs: tuple[SmscLine, ...] = ()


class Stored(NamedTuple):
    """A message of the store, each field as it is shown."""

    id: str
    type: str
    time: str
    sender: str
    receiver: str
    smsc_id: str
    box_id: str
    flags: str
    udh: str
    message: str


COMMANDS = (
    "status", "store-status", "log-level", "shutdown", "suspend", "isolate", "resume", "restart", "graceful-restart",
    "flush-dlr", "stop-smsc", "start-smsc", "add-smsc", "remove-smsc", "reload-lists", "remove-message",
)  # fmt: skip

_TYPES = {Form.TEXT: "text/plain", Form.HTML: "text/html", Form.XML: "text/xml", Form.WML: "text/vnd.wap.wml"}
_EXTENSIONS = {"txt": Form.TEXT, "html": Form.HTML, "xml": Form.XML, "wml": Form.WML}
_END_OF_LINE = {Form.TEXT: "\n", Form.HTML: "<br>\n", Form.XML: "\n", Form.WML: "<br/>\n"}
_PAGES = {
    Form.TEXT: ("", ""),
    Form.HTML: (
        '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2//EN">\n<html>\n<title>Kannel</title>\n<body>\n<p>',
        "</p>\n</body></html>\n",
    ),
    Form.XML: ('<?xml version="1.0"?>\n<gateway>\n', "</gateway>\n"),
    Form.WML: (
        '<?xml version="1.0"?>\n<!DOCTYPE wml PUBLIC "-//WAPFORUM//DTD WML 1.1//EN" '
        '"http://www.wapforum.org/DTD/wml_1.1.xml">\n\n<wml>\n <card>\n  <p>',
        "  </p>\n </card>\n</wml>\n",
    ),
}


def form(extension: str, accept: str) -> tuple[Form, str]:
    """What an answer is written in, and its Content-Type: an extension that is known decides, else what is accepted.

    XML asked for by extension is text/plain, as Kannel has it.
    """
    known = _EXTENSIONS.get(extension)
    if known is not None:
        return known, "text/plain" if known is Form.XML else _TYPES[known]
    accepted = accept.lower()
    for each in (Form.WML, Form.HTML, Form.XML):
        if _TYPES[each] in accepted:
            return each, _TYPES[each]
    return Form.TEXT, "text/plain"


def page(form: Form, content: str) -> str:
    """The content with what goes around it."""
    before, after = _PAGES[form]
    return f"{before}{content}{after}"


def words(form: Form, text: str) -> str:
    """A reply in a few words: unlike Kannel's it cannot be taken for a tag, whatever it repeats."""
    return text if form is Form.TEXT else escape(text)


def unknown(form: Form, path: str) -> str:
    """The reply to a command that there is not."""
    end = _END_OF_LINE[form]
    lines = (words(form, f"Unknown command `{path}'."), "Possible commands are:", *COMMANDS)
    return "".join(f"{line}{end}" for line in lines)


def uptime(seconds: float) -> str:
    total = max(0, int(seconds))
    return f"{total // 86400}d {total // 3600 % 24}h {total // 60 % 60}m {total % 60}s"


def status(form: Form, figures: Figures) -> str:
    """The whole status, without what goes around it."""
    return _STATUS[form](figures)


def store(form: Form, messages: Iterable[Stored]) -> str:
    """What is in the store, without what goes around it."""
    if form is Form.XML:
        return "".join(map(_message_xml, messages))
    if form is Form.HTML:
        head = "".join(f"<td>{title}</td>" for title in _TITLES)
        rows = (f"<tr>{''.join(f'<td>{escape(word)}</td>' for word in message)}</tr>\n" for message in messages)
        return f"<table border=1>\n<tr>{head}</tr>\n{''.join(rows)}</table>"
    lines = (" ".join(f"[{word}]" for word in message) for message in (_TITLES, *messages))
    return words(form, "".join(f"{line}\n" for line in lines))


_TITLES = ("SMS ID", "Type", "Time", "Sender", "Receiver", "SMSC ID", "BOX ID", "Flags", "UDH", "Message")
_ELEMENTS = ("id", "type", "time", "sender", "receiver", "smsc-id", "box-id", "flags", "udh-data", "msg-data")


def _message_xml(message: Stored) -> str:
    fields = "".join(f"\t<{name}>{escape(word)}</{name}>\n" for name, word in zip(_ELEMENTS, message, strict=True))
    return f"\t<message>\n{fields}\t</message>\n"


def _summary(figures: Figures, end: str) -> tuple[str, str, str, str]:
    """What text and HTML say alike, paragraph by paragraph."""
    sms, dlr = figures.sms, figures.dlr
    return (
        f"Status: {figures.state}, uptime {uptime(figures.seconds)}",
        "WDP: received 0 (0 queued), sent 0 (0 queued)",
        f"SMS: received {sms.received} ({figures.sms_in} queued), sent {sms.sent} ({figures.sms_out} queued), "
        f"store size {figures.stored}{end}SMS: inbound ({sms.inbound}) msg/sec, outbound ({sms.outbound}) msg/sec",
        f"DLR: received {dlr.received}, sent {dlr.sent}{end}DLR: inbound ({dlr.inbound}) msg/sec, "
        f"outbound ({dlr.outbound}) msg/sec{end}DLR: {figures.dlr_waiting} queued, using {figures.storage} storage",
    )


def _text(figures: Figures) -> str:
    summary = "\n\n".join(_summary(figures, "\n"))
    boxes = _boxes(figures.boxes, "    ", "\n")
    smscs = "".join(f"    {each.id}[{each.admin_id}]    {_line(each)}\n" for each in figures.smscs)
    return f"{figures.version}\n\n{summary}\n\n{boxes}\n\n{_titled('SMSC connections', smscs, chr(10))}\n\n"


def _html(figures: Figures) -> str:
    indent = "&nbsp;" * 4
    summary = "".join(f"</p>\n\n <p>{escape(each)}" for each in _summary(figures, "\0")).replace("\0", "<br>\n ")
    boxes = escape(_boxes(figures.boxes, "\0", "\n")).replace("\n", "<br>\n").replace("\0", indent)
    smscs = "".join(
        f"{indent}<b>{escape(each.id)}</b>[{escape(each.admin_id)}]{indent}{escape(_line(each))}<br>\n"
        for each in figures.smscs
    )
    smscs = _titled("SMSC connections", smscs, "<br>\n")
    return f"{escape(figures.version)}{summary}</p>\n\n<p>{boxes}</p>\n\n<p>{smscs}</p>\n\n<p>"


def _wml(figures: Figures) -> str:
    end = "<br/>\n      "
    sms, dlr = figures.sms, figures.dlr
    summary = (
        f"</p>\n\n   <p>Status: {figures.state}, uptime {uptime(figures.seconds)}"
        f"</p>\n\n   <p>WDP: received 0 (0 queued){end}WDP: sent 0 (0 queued)"
        f"</p>\n\n   <p>SMS: received {sms.received} ({figures.sms_in} queued){end}"
        f"SMS: sent {sms.sent} ({figures.sms_out} queued){end}SMS: store size {figures.stored}{end}"
        f"SMS: inbound ({sms.inbound}) msg/sec{end}SMS: outbound ({sms.outbound}) msg/sec"
        f"</p>\n   <p>DLR: received {dlr.received}{end}DLR: sent {dlr.sent}{end}DLR: inbound ({dlr.inbound}) msg/sec"
        f"{end}DLR: outbound ({dlr.outbound}) msg/sec{end}DLR: {figures.dlr_waiting} queued{end}"
        f"DLR: using {figures.storage} storage"
    )
    boxes = escape(_boxes(figures.boxes, "", "\n")).replace("\n", "<br/>\n")
    smscs = _titled("SMSC connections", "".join(f"{escape(_line(each))}<br/>\n" for each in figures.smscs), "<br/>\n")
    return f"{escape(figures.version)}{summary}</p>\n\n<p>{boxes}</p>\n\n<p>{smscs}</p>\n\n<p>"


def _boxes(boxes: Iterable[Box], indent: str, end: str) -> str:
    lines = "".join(
        f"{indent}{each.type}:{each.id or '(none)'}, IP {each.ip} ({each.queued} queued), "
        f"(on-line {uptime(each.seconds)}) {'using SSL' if each.ssl else ''} {end}"
        for each in boxes
    )
    return f"Box connections:{end}{lines}" if lines else "No boxes connected"


def _titled(title: str, lines: str, end: str) -> str:
    return f"{title}:{end}{lines}" if lines else f"No {title}"


def _line(smsc: SmscLine) -> str:
    sms, dlr = smsc.sms, smsc.dlr
    return (
        f"{smsc.name} ({smsc.status}, rcvd: sms {sms.received} ({sms.inbound}) / dlr {dlr.received} ({dlr.inbound}), "
        f"sent: sms {sms.sent} ({sms.outbound}) / dlr {dlr.sent} ({dlr.outbound}), failed {smsc.failed}, "
        f"queued {smsc.queued} msgs)"
    )


def _xml(figures: Figures) -> str:
    sms, dlr = figures.sms, figures.dlr
    boxes = "".join(
        f"\n\t<box>\n\t\t<type>{escape(each.type)}</type>\n\t\t<id>{escape(each.id)}</id>\n\t\t<IP>{each.ip}</IP>\n"
        f"\t\t<queue>{each.queued}</queue>\n\t\t<status>on-line {uptime(each.seconds)}</status>\n"
        f"\t\t<ssl>{'yes' if each.ssl else 'no'}</ssl>\n\t</box>"
        for each in figures.boxes
    )
    smscs = "".join(map(_smsc_xml, figures.smscs))
    return (
        f"<version>{escape(figures.version)}</version>\n"
        f"<status>{figures.state}, uptime {uptime(figures.seconds)}</status>\n"
        "\t<wdp>\n\t\t<received><total>0</total><queued>0</queued></received>\n"
        "\t\t<sent><total>0</total><queued>0</queued></sent>\n\t</wdp>\n"
        f"\t<sms>\n\t\t<received><total>{sms.received}</total><queued>{figures.sms_in}</queued></received>\n"
        f"\t\t<sent><total>{sms.sent}</total><queued>{figures.sms_out}</queued></sent>\n"
        f"\t\t<storesize>{figures.stored}</storesize>\n\t\t<inbound>{sms.inbound}</inbound>\n"
        f"\t\t<outbound>{sms.outbound}</outbound>\n\t\t</sms>\n"
        f"\t<dlr>\n\t\t<received><total>{dlr.received}</total></received>\n"
        f"\t\t<sent><total>{dlr.sent}</total></sent>\n\t\t<inbound>{dlr.inbound}</inbound>\n"
        f"\t\t<outbound>{dlr.outbound}</outbound>\n\t\t<queued>{figures.dlr_waiting}</queued>\n"
        f"\t\t<storage>{figures.storage}</storage>\n\t</dlr>\n"
        f"<boxes>{boxes or chr(10) + chr(9)}</boxes>\n"
        + (
            f"<smscs><count>{len(figures.smscs)}</count>\n\t{smscs}</smscs>\n"
            if smscs
            else "<smscs>\n\t<count>0</count>\n</smscs>"
        )
    )


def _smsc_xml(smsc: SmscLine) -> str:
    return (
        f"<smsc>\n\t\t<name>{escape(smsc.name)}</name>\n\t\t<admin-id>{escape(smsc.admin_id)}</admin-id>\n"
        f"\t\t<id>{escape(smsc.id)}</id>\n\t\t<status>{smsc.status}</status>\n\t\t<failed>{smsc.failed}</failed>\n"
        f"\t\t<queued>{smsc.queued}</queued>\n{_traffic_xml('sms', smsc.sms)}{_traffic_xml('dlr', smsc.dlr)}\t</smsc>\n"
    )


def _traffic_xml(kind: str, traffic: Traffic) -> str:
    return (
        f"\t\t<{kind}>\n\t\t\t<received>{traffic.received}</received>\n\t\t\t<sent>{traffic.sent}</sent>\n"
        f"\t\t\t<inbound>{traffic.inbound}</inbound>\n\t\t\t<outbound>{traffic.outbound}</outbound>\n\t\t</{kind}>\n"
    )


_STATUS: Mapping[Form, Callable[[Figures], str]] = {Form.TEXT: _text, Form.HTML: _html, Form.XML: _xml, Form.WML: _wml}


def json(figures: Figures) -> dict[str, Any]:
    """The same for programs; Kannel has no such page."""
    found: dict[str, Any] = _named(asdict(figures))
    return {**found, "version": figures.version.splitlines()}


def _named(value: Any) -> Any:
    if isinstance(value, Load):
        return value._asdict()
    if isinstance(value, dict):
        return {key: _named(each) for key, each in value.items()}
    return [_named(each) for each in value] if isinstance(value, (list, tuple)) else value
