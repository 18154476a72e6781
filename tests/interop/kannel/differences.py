"""Where ours may differ from Kannel, and why. A row that is named here and does not differ fails."""

import re
from typing import NamedTuple


class Difference(NamedTuple):
    rows: str
    """A regular expression that fits the whole names of rows."""
    why: str
    always: bool = True
    """Else it is a matter of time."""


DIFFERENCES = (
    # sendsms
    Difference("sendota without anything|xmlrpc by GET", "OTA and XML-RPC went with WAP: there is no such path"),
    Difference(
        "(sender of twenty one|receiver of 21) digits",
        "Kannel accepts the message and drops it unsaid; an address has 20 octets, so ours refuses it",
    ),
    Difference(
        "(sender|binfo) (with|of) a nul",
        "Kannel sends a PDU whose fields end at the NUL, so that the SMSC reads all others shifted; ours refuses it",
    ),
    Difference("text when none may be sent", "Kannel never answers, and keeps the connection open"),
    Difference(
        "smsc with its own types and letters",
        "Kannel calls letters a number when source-addr-autodetect is off; ours keeps a name a name",
    ),
    Difference(
        "header and footer with utf-8",
        "Kannel puts header and footer octet by octet around UCS-2, where they are other characters",
    ),
    Difference(
        "text is not utf-8|charset does not fit the text",
        "Kannel sends an empty message; ours a question mark for each octet that is none",
    ),
    Difference(
        "alternative charset of the smsc",
        "Kannel sends the UTF-8 octets of what the charset lacks; ours writes it in other letters",
    ),
    Difference("max-sms-octets", "a part has up to 140 octets; smaller ones are a limit of modems"),
    Difference(
        "udh and too long a text joined",
        "ours puts the element of concatenation first; their order means nothing (3GPP TS 23.040, 9.2.3.24)",
    ),
    Difference(
        r"deferred \d+|validity and deferred|POST with validity and deferred|MO answered with X_Kannel_Deferred: 30",
        "ours keeps the message until then, as it does for every SMPP client, and sends it without a schedule",
    ),
    Difference(
        "meta-data of all|MO escapes with parameters",
        "Kannel's order of parameters is that of a hash table; ours is that of the request",
    ),
    Difference("POST (text/html|wml)", "the User's Guide promises them, 1.4.5 refuses them; ours takes the tags off"),
    Difference("POST of a form( with a .*)?", "ours takes forms, as the maintained forks of Kannel do"),
    # dlr-url
    Difference("dlr-url with a space", "a space ends a request line: ours writes %20"),
    Difference("dlr answered with (404|500|302)", "ours asks again, where Kannel drops the callback", always=False),
    Difference(
        "dlr of every part( when one is refused)?",
        "Kannel asks for a receipt of the first part alone; ours of all, and calls once with what became of the whole",
    ),
    Difference("receipt stat delivrd", "ours reads the state in any case of its letters"),
    Difference("receipt state 10", "no state of SMPP 3.4"),
    Difference(
        "receipt with the acknowledgement class",
        "an acknowledgement of the mobile's user is a message from a mobile, not the SMSC's receipt (SMPP 3.4, 2.11)",
    ),
    # Messages from mobiles
    Difference("MO answered with X_Kannel_UDH: %05%00", "ours leaves out a header that is no hex; Kannel decodes it"),
    Difference(
        "MO answered with X_Kannel_MClass: 9", "ours leaves out a class above 3; Kannel makes a data_coding of it"
    ),
    Difference("MO by exec", "a program is run only where our own config allows it"),
    Difference(
        "other: MO answered with an image",
        "with http-request-retry Kannel takes a content type that it cannot read for one that it could not fetch",
    ),
    # admin
    Difference("admin: status.json at first", "Kannel has no JSON and shows the text"),
    Difference(
        "admin: (a message|store-status|store-status.xml|store-status.html) while suspended",
        "Kannel lets the first message through and answers none of the next until it is resumed; ours queues them",
    ),
    Difference(
        "open: status.(xml|txt) of what waits|open: status.wml while suspended",
        "Kannel counts what waits for an smsc that is down at no smsc; ours at that one",
    ),
)


def difference(name: str) -> Difference | None:
    """What may differ in this row."""
    return next((each for each in DIFFERENCES if re.fullmatch(each.rows, name)), None)
