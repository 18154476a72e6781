"""The pages of the admin port are those of bearerbox 1.4.5, octet for octet; what is here was read from it."""

import xml.etree.ElementTree as ET

import pytest

from smppgw.kannel.status import (
    Box,
    Figures,
    Form,
    Load,
    SmscLine,
    Stored,
    Traffic,
    form,
    json,
    page,
    status,
    store,
    unknown,
    words,
)

SOME = Figures(
    version="Kannel bearerbox version `1.4.5'.\nUsing native malloc.\n",
    state="isolated",
    seconds=79.9,
    sms=Traffic(0, 3, Load(), Load(0.0, 0.04, 0.04)),
    stored=1,
    dlr=Traffic(7, 0, Load(0.0, 0.09, 0.09), Load()),
    dlr_waiting=1,
    boxes=(Box("smsbox", "box", "127.0.0.1", 1, 78),),
    smscs=(
        SmscLine("SMPP:127.0.0.1:14003/14003:user:VMA", "B1", "B", "dead"),
        SmscLine(
            "SMPP:127.0.0.1:14002/14002:user:", "A", "A", "online 4s", Traffic(0, 3, Load(), Load(0.95, 0.95, 0.95)),
            Traffic(7, 0, Load(2.22, 2.22, 2.22), Load()), 2, 1,
        ),
    ),
)  # fmt: skip
NONE = Figures("V.\n", "running", 1)
QUIET = "(0.00,0.00,0.00)"
A = (
    f"SMPP:127.0.0.1:14002/14002:user: (online 4s, rcvd: sms 0 {QUIET} / dlr 7 (2.22,2.22,2.22), "
    f"sent: sms 3 (0.95,0.95,0.95) / dlr 0 {QUIET}, failed 2, queued 1 msgs)"
)
B = (
    f"SMPP:127.0.0.1:14003/14003:user:VMA (dead, rcvd: sms 0 {QUIET} / dlr 0 {QUIET}, sent: sms 0 {QUIET} / "
    f"dlr 0 {QUIET}, failed 0, queued 0 msgs)"
)

TEXT = f"""\
Kannel bearerbox version `1.4.5'.
Using native malloc.


Status: isolated, uptime 0d 0h 1m 19s

WDP: received 0 (0 queued), sent 0 (0 queued)

SMS: received 0 (0 queued), sent 3 (0 queued), store size 1
SMS: inbound (0.00,0.00,0.00) msg/sec, outbound (0.00,0.04,0.04) msg/sec

DLR: received 7, sent 0
DLR: inbound (0.00,0.09,0.09) msg/sec, outbound (0.00,0.00,0.00) msg/sec
DLR: 1 queued, using internal storage

Box connections:
    smsbox:box, IP 127.0.0.1 (1 queued), (on-line 0d 0h 1m 18s)\x20\x20


SMSC connections:
    B[B1]    {B}
    A[A]    {A}


"""

HTML = f"""\
<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2//EN">
<html>
<title>Kannel</title>
<body>
<p>Kannel bearerbox version `1.4.5'.
Using native malloc.
</p>

 <p>Status: isolated, uptime 0d 0h 1m 19s</p>

 <p>WDP: received 0 (0 queued), sent 0 (0 queued)</p>

 <p>SMS: received 0 (0 queued), sent 3 (0 queued), store size 1<br>
 SMS: inbound (0.00,0.00,0.00) msg/sec, outbound (0.00,0.04,0.04) msg/sec</p>

 <p>DLR: received 7, sent 0<br>
 DLR: inbound (0.00,0.09,0.09) msg/sec, outbound (0.00,0.00,0.00) msg/sec<br>
 DLR: 1 queued, using internal storage</p>

<p>Box connections:<br>
&nbsp;&nbsp;&nbsp;&nbsp;smsbox:box, IP 127.0.0.1 (1 queued), (on-line 0d 0h 1m 18s)  <br>
</p>

<p>SMSC connections:<br>
&nbsp;&nbsp;&nbsp;&nbsp;<b>B</b>[B1]&nbsp;&nbsp;&nbsp;&nbsp;{B}<br>
&nbsp;&nbsp;&nbsp;&nbsp;<b>A</b>[A]&nbsp;&nbsp;&nbsp;&nbsp;{A}<br>
</p>

<p></p>
</body></html>
"""

WML = f"""\
<?xml version="1.0"?>
<!DOCTYPE wml PUBLIC "-//WAPFORUM//DTD WML 1.1//EN" "http://www.wapforum.org/DTD/wml_1.1.xml">

<wml>
 <card>
  <p>Kannel bearerbox version `1.4.5'.
Using native malloc.
</p>

   <p>Status: isolated, uptime 0d 0h 1m 19s</p>

   <p>WDP: received 0 (0 queued)<br/>
      WDP: sent 0 (0 queued)</p>

   <p>SMS: received 0 (0 queued)<br/>
      SMS: sent 3 (0 queued)<br/>
      SMS: store size 1<br/>
      SMS: inbound (0.00,0.00,0.00) msg/sec<br/>
      SMS: outbound (0.00,0.04,0.04) msg/sec</p>
   <p>DLR: received 7<br/>
      DLR: sent 0<br/>
      DLR: inbound (0.00,0.09,0.09) msg/sec<br/>
      DLR: outbound (0.00,0.00,0.00) msg/sec<br/>
      DLR: 1 queued<br/>
      DLR: using internal storage</p>

<p>Box connections:<br/>
smsbox:box, IP 127.0.0.1 (1 queued), (on-line 0d 0h 1m 18s)  <br/>
</p>

<p>SMSC connections:<br/>
{B}<br/>
{A}<br/>
</p>

<p>  </p>
 </card>
</wml>
"""


def _smsc(
    name: str, admin: str, id: str, state: str, failed: int, queued: int, sent: int, rate: str, receipts: int, dlr: str
) -> str:
    quiet = "0.00,0.00,0.00"
    return f"""<smsc>
\t\t<name>{name}</name>
\t\t<admin-id>{admin}</admin-id>
\t\t<id>{id}</id>
\t\t<status>{state}</status>
\t\t<failed>{failed}</failed>
\t\t<queued>{queued}</queued>
\t\t<sms>
\t\t\t<received>0</received>
\t\t\t<sent>{sent}</sent>
\t\t\t<inbound>{quiet}</inbound>
\t\t\t<outbound>{rate}</outbound>
\t\t</sms>
\t\t<dlr>
\t\t\t<received>{receipts}</received>
\t\t\t<sent>0</sent>
\t\t\t<inbound>{dlr}</inbound>
\t\t\t<outbound>{quiet}</outbound>
\t\t</dlr>
\t</smsc>
"""


XML = f"""\
<?xml version="1.0"?>
<gateway>
<version>Kannel bearerbox version `1.4.5'.
Using native malloc.
</version>
<status>isolated, uptime 0d 0h 1m 19s</status>
\t<wdp>
\t\t<received><total>0</total><queued>0</queued></received>
\t\t<sent><total>0</total><queued>0</queued></sent>
\t</wdp>
\t<sms>
\t\t<received><total>0</total><queued>0</queued></received>
\t\t<sent><total>3</total><queued>0</queued></sent>
\t\t<storesize>1</storesize>
\t\t<inbound>0.00,0.00,0.00</inbound>
\t\t<outbound>0.00,0.04,0.04</outbound>
\t\t</sms>
\t<dlr>
\t\t<received><total>7</total></received>
\t\t<sent><total>0</total></sent>
\t\t<inbound>0.00,0.09,0.09</inbound>
\t\t<outbound>0.00,0.00,0.00</outbound>
\t\t<queued>1</queued>
\t\t<storage>internal</storage>
\t</dlr>
<boxes>
\t<box>
\t\t<type>smsbox</type>
\t\t<id>box</id>
\t\t<IP>127.0.0.1</IP>
\t\t<queue>1</queue>
\t\t<status>on-line 0d 0h 1m 18s</status>
\t\t<ssl>no</ssl>
\t</box></boxes>
<smscs><count>2</count>
\t{_smsc("SMPP:127.0.0.1:14003/14003:user:VMA", "B1", "B", "dead", 0, 0, 0, "0.00,0.00,0.00", 0, "0.00,0.00,0.00")}\
{_smsc("SMPP:127.0.0.1:14002/14002:user:", "A", "A", "online 4s", 2, 1, 3, "0.95,0.95,0.95", 7, "2.22,2.22,2.22")}\
</smscs>
</gateway>
"""


@pytest.mark.parametrize(
    ("form", "expected"), [(Form.TEXT, TEXT), (Form.HTML, HTML), (Form.WML, WML), (Form.XML, XML)], ids=lambda each: ""
)
def test_the_status_is_kannels(form: Form, expected: str) -> None:
    assert page(form, status(form, SOME)) == expected


def test_where_nobody_is_connected_it_says_so() -> None:
    end = "internal storage\n\nNo boxes connected\n\nNo SMSC connections\n\n"
    assert status(Form.TEXT, NONE).endswith(end)
    assert page(Form.HTML, status(Form.HTML, NONE)).endswith(
        "internal storage</p>\n\n<p>No boxes connected</p>\n\n<p>No SMSC connections</p>\n\n<p></p>\n</body></html>\n"
    )
    assert page(Form.WML, status(Form.WML, NONE)).endswith(
        "<p>No boxes connected</p>\n\n<p>No SMSC connections</p>\n\n<p>  </p>\n </card>\n</wml>\n"
    )
    assert page(Form.XML, status(Form.XML, NONE)).endswith(
        "\t</dlr>\n<boxes>\n\t</boxes>\n<smscs>\n\t<count>0</count>\n</smscs></gateway>\n"
    )


READ_BY_AN_EXPORTER = (
    "version", "status", *(f"{kind}/{way}/total" for kind in ("wdp", "sms", "dlr") for way in ("received", "sent")),
    *(f"{kind}/{way}/queued" for kind in ("wdp", "sms") for way in ("received", "sent")),
    "sms/storesize", "dlr/queued", "dlr/storage",
    *(f"boxes/box/{key}" for key in ("type", "id", "IP", "queue", "status")),
    "smscs/count", *(f"smscs/smsc/{key}" for key in ("id", "status", "failed", "queued")),
    *(f"smscs/smsc/{kind}/{way}" for kind in ("sms", "dlr") for way in ("received", "sent")),
)  # fmt: skip
"""What public kannel_exporter reads."""


def test_an_exporter_finds_each_element_that_it_reads() -> None:
    found = ET.fromstring(page(Form.XML, status(Form.XML, SOME)))
    assert found.tag == "gateway"
    for path in READ_BY_AN_EXPORTER:
        elements = found.findall(path)
        assert elements, path
        assert all(element.text for element in elements), path
        last = path.rpartition("/")[2]
        if last in {"total", "queued", "storesize", "failed", "received", "sent", "queue", "count"}:
            assert all(element.text is not None and element.text.isdecimal() for element in elements), path
    assert "version `" in (found.findtext("version") or "").splitlines()[0]
    assert len([word for word in (found.findtext("status") or "") if word.isdigit()]) >= 4


def test_what_is_asked_for_by_extension_or_else_accepted_says_the_form() -> None:
    assert form("html", "text/xml") == (Form.HTML, "text/html")
    assert form("xml", "") == (Form.XML, "text/plain")
    assert form("", "text/xml") == (Form.XML, "text/xml")
    assert form("", "text/plain, text/xml, text/HTMLx") == (Form.HTML, "text/html")
    assert form("foo", "text/html, text/vnd.wap.wml") == (Form.WML, "text/vnd.wap.wml")
    assert form("XML", "*/*") == form("", "application/xml") == (Form.TEXT, "text/plain")


def test_replies_that_repeat_what_was_asked_make_no_tags() -> None:
    assert words(Form.HTML, "smsc-id `<x>'") == "smsc-id `&lt;x&gt;'"
    assert words(Form.TEXT, "smsc-id `<x>'") == "smsc-id `<x>'"
    assert unknown(Form.WML, "/<b>").startswith(
        "Unknown command `/&lt;b&gt;'.<br/>\nPossible commands are:<br/>\nstatus<br/>\n"
    )


MESSAGE = Stored("4aa856b0-6c6d-49e4-9129-cce2188b2fb5", "DLR-MO", "2026-11-23 16:42:15", "1", "443", "A", "box",
                 "-1:-1:-1:-1:8", "", "ACK%2F")  # fmt: skip


def test_the_store_is_kannels() -> None:
    head = "[SMS ID] [Type] [Time] [Sender] [Receiver] [SMSC ID] [BOX ID] [Flags] [UDH] [Message]\n"
    line = (
        "[4aa856b0-6c6d-49e4-9129-cce2188b2fb5] [DLR-MO] [2026-11-23 16:42:15] [1] [443] [A] [box] [-1:-1:-1:-1:8] "
        "[] [ACK%2F]\n"
    )
    assert store(Form.TEXT, [MESSAGE]) == store(Form.WML, [MESSAGE]) == head + line
    assert store(Form.XML, [MESSAGE]) == (
        "\t<message>\n\t<id>4aa856b0-6c6d-49e4-9129-cce2188b2fb5</id>\n\t<type>DLR-MO</type>\n"
        "\t<time>2026-11-23 16:42:15</time>\n\t<sender>1</sender>\n\t<receiver>443</receiver>\n\t<smsc-id>A</smsc-id>\n"
        "\t<box-id>box</box-id>\n\t<flags>-1:-1:-1:-1:8</flags>\n\t<udh-data></udh-data>\n\t<msg-data>ACK%2F</msg-data>\n"
        "\t</message>\n"
    )
    assert store(Form.HTML, [MESSAGE]) == (
        "<table border=1>\n<tr><td>SMS ID</td><td>Type</td><td>Time</td><td>Sender</td><td>Receiver</td>"
        "<td>SMSC ID</td><td>BOX ID</td><td>Flags</td><td>UDH</td><td>Message</td></tr>\n"
        "<tr><td>4aa856b0-6c6d-49e4-9129-cce2188b2fb5</td><td>DLR-MO</td><td>2026-11-23 16:42:15</td><td>1</td>"
        "<td>443</td><td>A</td><td>box</td><td>-1:-1:-1:-1:8</td><td></td><td>ACK%2F</td></tr>\n</table>"
    )
    assert store(Form.TEXT, []) == head
    assert store(Form.XML, []) == ""


def test_programs_get_the_same_as_json() -> None:
    found = json(SOME)
    assert found["smscs"][1]["sms"] == {
        "received": 0, "sent": 3, "inbound": {"minute": 0.0, "five": 0.0, "ever": 0.0},
        "outbound": {"minute": 0.95, "five": 0.95, "ever": 0.95},
    }  # fmt: skip
    assert found["version"] == ["Kannel bearerbox version `1.4.5'.", "Using native malloc."]
