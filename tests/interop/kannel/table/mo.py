"""Messages from mobiles: which service answers, what its application is told, and what becomes of the answer."""

from protocol import tlv
from tests.interop.kannel.row import Answer, Receipt, Row, mo, parts
from tests.interop.kannel.table.dlr import DONE, FAILED

PLAIN = {"Content-Type": "text/plain"}
HELLO = Answer(200, PLAIN, b"Thanks")


def plain(body: bytes | str, **headers: str) -> Answer:
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(200, {**PLAIN, **more}, body.encode() if isinstance(body, str) else body)


def said(body: bytes | str, kind: str, **headers: str) -> Answer:
    return plain(body, **headers)._replace(
        headers={"Content-Type": kind, **{n.replace("_", "-"): v for n, v in headers.items()}}
    )


def tags(*parameters: tuple[int, bytes]) -> bytes:
    return tlv.encode(list(parameters))


MO: tuple[Row, ...] = (
    # Which service.
    mo("MO for the default", b"nothing of ours"),
    mo("MO empty", b""),
    mo("MO of spaces", b"   "),
    mo("MO keyword alone", b"words"),
    mo("MO keyword and the words it wants", b"two first second"),
    mo("MO keyword and a word too few", b"two first"),
    mo("MO keyword and a word too many", b"two first second third"),
    mo("MO keyword with the rest", b"words first second third fourth"),
    mo("MO keyword in capitals", b"TWO first second"),
    mo("MO keyword with a tab", b"two\tfirst second"),
    mo("MO keyword after a space", b" two first second"),
    mo("MO keyword with a newline", b"two\nfirst\nsecond"),
    mo("MO keyword as the start of a word", b"twofold first second"),
    mo("MO exact keyword", b"exact"),
    mo("MO exact keyword and more", b"exact more"),
    mo("MO by alias", b"third"),
    mo("MO by its main keyword", b"main"),
    mo("MO by regex", b"joker7 laughs"),
    mo("MO by regex in capitals", b"BATMAN9"),
    mo("MO by no regex", b"jokerx"),
    mo("MO over the smsc that is accepted", b"smsc", over="two"),
    mo("MO over an smsc that is not accepted", b"smsc"),
    mo("MO with allowed-prefix that does not fit", b"allowed"),
    mo("MO with denied-prefix that fits", b"denied"),
    mo("MO with allowed-receiver-prefix that fits", b"receiver", to="3000"),
    mo("MO with allowed-receiver-prefix that does not fit", b"receiver"),
    mo("MO with denied-receiver-prefix that fits", b"notreceiver"),
    mo("MO with denied-receiver-prefix that does not fit", b"notreceiver", to="3000"),
    mo("MO with a black-list-regex that fits", b"black"),
    mo("MO with a white-list-regex that fits", b"white"),
    mo("MO from the core's black list", b"text {to}", source="447711111111"),
    mo("MO keyword from non-ascii", "ñandú x".encode("latin-1"), data_coding=3),
    # What the application is told.
    mo("MO escapes", b"escapes first sec*nd th&rd 100% =x"),
    mo("MO escapes of a keyword alone", b"escapes"),
    mo("MO escapes in latin-1", b"escapes caf\xe9", data_coding=3),
    mo("MO escapes in the default alphabet", b"escapes \x02\x04\x1b\x65\x11", data_coding=0),
    mo("MO escapes in ucs-2", "escapes Привет".encode("utf-16-be"), data_coding=8),
    mo("MO escapes in ascii", b"escapes plain", data_coding=1),
    mo("MO escapes in octets", b"escapes \x00\x01\xff", data_coding=4),
    mo("MO escapes in octets of type 2", b"escapes \x00\x01\xff", data_coding=2),
    mo("MO escapes in cyrillic", b"escapes \xbf", data_coding=6),
    mo("MO escapes in hebrew", b"escapes \xe0", data_coding=7),
    mo("MO escapes in jis", b"escapes x", data_coding=5),
    mo("MO escapes with a class", b"escapes x", data_coding=0xF1),
    mo("MO escapes with a class in 1x", b"escapes x", data_coding=0x10),
    mo("MO escapes with a waiting indicator", b"escapes x", data_coding=0xC8),
    mo("MO escapes with udh", b"\6\5\4\x15\x81\0\0escapes x", esm_class=0x40),
    mo("MO escapes with service_type", b"escapes x", service_type=b"bill"),
    mo("MO escapes with parameters", b"escapes x", tlvs=tags((0x1401, b"octets"), (0x1402, b"\2\1"), (0x1403, b"text\0"), (0x1499, b"?"))),
    mo("MO escapes in message_payload", b"", tlvs=tags((0x0424, b"escapes payload"))),
    mo("MO escapes from two zeros", b"escapes x", source="00{to}"),
    mo("MO escapes with pluses and ampersands", b"escapes a+b c&d e=f /?#"),
    mo("MO escapes with a user_message_reference", b"escapes x", tlvs=tags((0x0204, b"\0\1"))),
    mo("MO in latin-1 to a service with alt-charset", b"latin caf\xe9", data_coding=3),
    # Parts.
    parts("MO in two parts", mo("MO in two parts", b"\5\0\3\x11\2\1escapes one ", esm_class=0x40), mo("MO in two parts", b"\5\0\3\x11\2\2two", esm_class=0x40)),
    parts("MO in two parts backwards", mo("MO in two parts backwards", b"\5\0\3\x12\2\2two", esm_class=0x40), mo("MO in two parts backwards", b"\5\0\3\x12\2\1escapes one ", esm_class=0x40)),
    parts("MO in two parts of 16 bits", mo("MO in two parts of 16 bits", b"\6\x08\4\1\x13\2\1escapes one ", esm_class=0x40), mo("MO in two parts of 16 bits", b"\6\x08\4\1\x13\2\2two", esm_class=0x40)),
    parts("MO in two parts by sar", *(mo("MO in two parts by sar", text, tlvs=tags((0x020C, b"\0\x14"), (0x020E, b"\2"), (0x020F, bytes([number])))) for number, text in ((1, b"escapes one "), (2, b"two")))),
    mo("MO of one part of two", b"\5\0\3\x15\2\1escapes one ", esm_class=0x40),
    mo("MO of one part of one", b"\5\0\3\x16\1\1escapes one", esm_class=0x40),
    # What is answered.
    mo("MO answered", b"get x", HELLO),
    mo("MO answered over another smsc", b"get x", HELLO, over="two"),
    mo("MO answered to letters", b"get x", HELLO, to="Kannel"),
    mo("MO answered with nothing", b"get x", plain(b"")),
    mo("MO answered with nothing, omitted", b"omit x", plain(b"")),
    mo("MO answered with spaces", b"get x", plain(b"  \r\n  text \n ")),
    mo("MO answered with 160", b"get x", plain(b"a" * 160)),
    mo("MO answered with 161", b"get x", plain(b"a" * 161)),
    mo("MO answered with 400 joined", b"longer x", plain(b"a" * 400)),
    mo("MO answered with 600 joined and cut", b"longer x", plain(b"a" * 600)),
    mo("MO answered in parts", b"parts x", plain(b"some words to say " * 20)),
    mo("MO answered in latin-1", b"get x", said(b"caf\xe9", "text/plain; charset=ISO-8859-1")),
    mo("MO answered in utf-8", b"get x", said("café €", "text/plain; charset=UTF-8")),
    mo("MO answered in utf-8 without saying so", b"get x", plain("café €")),
    mo("MO answered in cyrillic", b"get x", said("Привет", "text/plain; charset=UTF-8")),
    mo("MO answered with html", b"get x", said(b"<html><head><title>T</title></head><body>Hello <b>you</b> &amp; me<br>line</body></html>", "text/html")),
    mo("MO answered with html between marks", b"cut x", said(b"no <b>yes</b> no", "text/html")),
    mo("MO answered with html without marks", b"cut x", said(b"no <i>yes</i> no", "text/html")),
    mo("MO answered with wml", b"get x", said(b"<wml><card><p>Hello</p></card></wml>", "text/vnd.wap.wml")),
    mo("MO answered with octets", b"get x", said(b"\x00\x01\xff", "application/octet-stream")),
    mo("MO answered with octets as a text", b"plain x", said(b"plain", "application/octet-stream")),
    mo("MO answered with an image", b"get x", said(b"png", "image/png")),
    mo("MO answered without a type", b"get x", Answer(200, {}, b"bare")),
    # No row has an answer in text/xml: the smsbox of Debian ends with a segmentation fault on it.
    mo("MO answered with 404", b"get x", Answer(404, PLAIN, b"missing")),
    mo("MO answered with 500", b"get x", Answer(500, PLAIN, b"broken")),
    mo("MO answered with 202", b"get x", Answer(202, PLAIN, b"accepted")),
    mo("MO answered with 204", b"get x", Answer(204, PLAIN, b"")),
    mo("MO where nobody listens", b"unreachable x"),
    mo("MO answered by a faked sender", b"faked x", HELLO),
    # Headers of an application.
    *(mo(f"MO answered with {name}: {value}", b"kannel x", plain(b"Thanks", **{name: value})) for name, value in (
        ("X_Kannel_From", "555"), ("X_Kannel_SMSC", "two"), ("X_Kannel_UDH", "050003010201"), ("X_Kannel_UDH", "%05%00"), ("X_Kannel_MClass", "1"), ("X_Kannel_MClass", "9"),
        ("X_Kannel_MWI", "1"), ("X_Kannel_Coding", "1"), ("X_Kannel_Coding", "2"), ("X_Kannel_Compress", "1"), ("X_Kannel_Validity", "60"), ("X_Kannel_Deferred", "30"),
        ("X_Kannel_PID", "65"), ("X_Kannel_Alt_DCS", "1"), ("X_Kannel_RPI", "1"), ("X_Kannel_Priority", "2"), ("X_Kannel_BInfo", "CMT"), ("X_Kannel_Account", "dep"),
        ("X_Kannel_Meta_Data", "?smpp?one=value"), ("X_Kannel_Charset", "ISO-8859-1"),
    )),
    mo("MO answered with headers that are not accepted", b"get x", plain(b"Thanks", X_Kannel_From="555", X_Kannel_MClass="1")),
    mo("MO answered with dlr of the service", b"dlr x", HELLO)._replace(receipts=(DONE,)),
    mo("MO answered with dlr of the service, failed", b"dlr x", HELLO)._replace(receipts=(FAILED,)),
    mo("MO answered with dlr of the service, refused", b"dlr x", HELLO)._replace(statuses=(0x0B,)),
    mo("MO answered with dlr headers", b"dlrheaders x", plain(b"Thanks", X_Kannel_DLR_Mask="31", X_Kannel_DLR_Url="http://127.0.0.1:1/dlr"))._replace(receipts=(Receipt(b""),)),
    # Other ways to tell.
    mo("MO by post-url", b"post some text", HELLO),
    mo("MO by post-url with a sender", b"postsender some text", HELLO),
    mo("MO by post-url without the keyword", b"poststrip some text", HELLO),
    mo("MO by post-url without more", b"poststrip", HELLO),
    mo("MO by post-url in latin-1", b"post caf\xe9", HELLO, data_coding=3),
    mo("MO by post-url in ucs-2", "post Привет".encode("utf-16-be"), HELLO, data_coding=8),
    mo("MO by post-url in octets", b"post \x00\x01", HELLO, data_coding=4),
    mo("MO by post-url with udh", b"\6\5\4\x15\x81\0\0post x", HELLO, esm_class=0x40),
    mo("MO by post-url with a class", b"post x", HELLO, data_coding=0xF1),
    mo("MO by post-url with parameters", b"post x", HELLO, service_type=b"bill", tlvs=tags((0x1401, b"octets"))),
    mo("MO by post-xml", b"xml some text", HELLO),
    mo("MO by post-xml with a sender and stripped", b"xmlsender some text", HELLO),
    mo("MO by post-xml with letters", b"xml a<b>&\"c' \x02", HELLO),
    mo("MO by post-xml in ucs-2", "xml Привет".encode("utf-16-be"), HELLO, data_coding=8),
    mo("MO by post-xml in octets", b"xml \x00\x01", HELLO, data_coding=4),
    mo("MO by post-xml with a class", b"xml x", HELLO, data_coding=0xF1),
    mo("MO by post-xml with udh", b"\6\5\4\x15\x81\0\0xml x", HELLO, esm_class=0x40),
    mo("MO by text", b"text one two"),
    mo("MO by text with codes", b"textcodes one t*o three"),
    mo("MO by text with codes alone", b"textcodes"),
    mo("MO by file", b"file one two"),
    mo("MO by a file that is not there", b"nofile one two"),
    mo("MO by exec", b"exec one two"),
)  # fmt: skip
