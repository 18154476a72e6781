"""dlr-url: masks and outcomes, and every escape code."""

from tests.interop.kannel.row import Answer, Receipt, Row, send
from tests.interop.kannel.scenes import ESCAPES

RECEIPTED_ID, STATE, NETWORK_ERROR = 0x001E, 0x0427, 0x0423


CODES = ESCAPES


def text(stat: str, err: str = "000", more: str = " text:hello") -> Receipt:
    words = f"id:{{id}} sub:001 dlvrd:001 submit date:2611231200 done date:2611231201 stat:{stat} err:{err}{more}"
    return Receipt(words.encode())


def state(value: int, words: bytes = b"") -> Receipt:
    return Receipt(words, ((RECEIPTED_ID, b"{id}\0"), (STATE, bytes([value]))))


DONE, FAILED, BUFFERED = text("DELIVRD"), text("UNDELIV", "001"), text("ENROUTE")
MASKS = (0, 1, 2, 3, 4, 7, 8, 16, 19, 24, 31, 32, 63)

DLR: tuple[Row, ...] = (
    *(send(f"dlr-mask {mask} delivered", f"dlr-mask={mask}", dlr="d=%d", receipts=(DONE,)) for mask in MASKS),
    *(send(f"dlr-mask {mask} failed", f"dlr-mask={mask}", dlr="d=%d", receipts=(FAILED,)) for mask in MASKS),
    *(send(f"dlr-mask {mask} buffered then delivered", f"dlr-mask={mask}", dlr="d=%d&A=%A", receipts=(BUFFERED, DONE)) for mask in (1, 2, 4, 5, 6, 7, 31)),
    *(send(f"dlr-mask {mask} refused", f"dlr-mask={mask}", dlr="d=%d&A=%A", statuses=(0x0B,)) for mask in MASKS),
    *(send(f"dlr-mask 31 refused with {status:#x}", "dlr-mask=31", dlr="d=%d&A=%A&F=%F", statuses=(status,)) for status in (0x01, 0x03, 0x0A, 0x0C, 0x33, 0x45, 0x61, 0x62, 0x66, 0xC4, 0xFE, 0xFF, 0x400, 0x4FF)),
    send("dlr after a temporary refusal", "dlr-mask=31&smsc=two", dlr="d=%d&A=%A", statuses=(0x14,), receipts=(DONE,)),
    send("dlr after retries are over", "dlr-mask=31&smsc=two", dlr="d=%d&A=%A", statuses=(0x14, 0x14, 0x14, 0x14)),
    send("dlr refused with a system error", "dlr-mask=31&smsc=two", dlr="d=%d&A=%A", statuses=(0x08,), receipts=(DONE,)),
    # Bad and old.
    *(send(f"dlr-mask {mask}", f"dlr-mask={mask}", dlr="d=%d") for mask in ("64", "65", "-1", "abc", "")),
    send("dlr-mask without dlr-url", "dlr-mask=31", receipts=(DONE,)),
    send("dlr-url without dlr-mask", dlr="d=%d", receipts=(DONE,)),
    send("dlr in its old spelling", "dlrmask=31&dlrurl=http%3A%2F%2F127.0.0.1%3A{catcher}%2Fdlr%3Fto%3D{to}%26d%3D%25d", receipts=(DONE,)),
    send("dlr-url of the user", "username=dlr&dlr-mask=31", receipts=(DONE,)),
    send("dlr-url of the user and of the request", "username=dlr&dlr-mask=31", dlr="d=%d", receipts=(DONE,)),
    *(send(f"dlr-url {url or 'empty'}", f"dlr-mask=31&dlr-url={url}") for url in ("", "ftp%3A%2F%2Fhost%2Fx", "http", "http%3A%2F%2F", "http%3A%2F%2Fa", "nonsense")),
    send("dlr-url where nobody listens", "dlr-mask=31&dlr-url=http%3A%2F%2F127.0.0.1%3A{down}%2F", receipts=(DONE,)),
    send("dlr-url with a login", "dlr-mask=8&dlr-url=http%3A%2F%2Fme%3Asecret%40127.0.0.1%3A{catcher}%2Fdlr%3Fto%3D{to}"),
    send("dlr-url without a query", "dlr-mask=8&dlr-url=http%3A%2F%2F127.0.0.1%3A{catcher}%2F{to}"),
    send("dlr-url with a fragment", "dlr-mask=8&dlr-url=http%3A%2F%2F127.0.0.1%3A{catcher}%2F{to}%3Fa%3Db%23here"),
    send("dlr-url with a space", "dlr-mask=8&dlr-url=http%3A%2F%2F127.0.0.1%3A{catcher}%2F{to}%3Fa%3Db%20c"),
    send("dlr-url with utf-8", "dlr-mask=8&dlr-url=http%3A%2F%2F127.0.0.1%3A{catcher}%2F{to}%3Fa%3D%C3%A9"),
    send("dlr-url with escaped octets", "dlr-mask=8&dlr-url=http%3A%2F%2F127.0.0.1%3A{catcher}%2F{to}%3Fa%3D%2541%2520%25d"),
    send("dlr answered with 404", "dlr-mask=8", dlr="d=%d", answer=Answer(404)),
    send("dlr answered with 500", "dlr-mask=8", dlr="d=%d", answer=Answer(500)),
    send("dlr answered with 302", "dlr-mask=8", dlr="d=%d", answer=Answer(302, {"Location": "http://127.0.0.1:1/"})),
    send("dlr answered with a text", "dlr-mask=8", dlr="d=%d", answer=Answer(200, {"Content-Type": "text/plain"}, b"no reply is sent")),
    # Escape codes.
    send("escapes when accepted", "dlr-mask=8&account=dep&binfo=bill&mclass=1", dlr=CODES),
    send("escapes when delivered", "dlr-mask=1&account=dep&binfo=bill&mclass=1", dlr=CODES, receipts=(DONE,)),
    send("escapes when failed", "dlr-mask=2&validity=60", dlr=CODES, receipts=(FAILED,)),
    send("escapes when buffered", "dlr-mask=4&smsc=two", dlr=CODES, receipts=(BUFFERED,)),
    send("escapes when refused", "dlr-mask=16&account=dep&binfo=bill", dlr=CODES, statuses=(0x0B,)),
    send("escapes of a plus", "dlr-mask=9&from=%2B4477&to=%2B{to}", dlr=CODES, receipts=(DONE,)),
    send("escapes of two zeros", "dlr-mask=9&from=0044&to=00{to}", dlr=CODES, receipts=(DONE,)),
    send("escapes of letters", "dlr-mask=9&from=My%20Shop", dlr=CODES, receipts=(DONE,)),
    send("escapes of coding 2", "dlr-mask=9&coding=2&charset=UTF-8&text=%D0%9F", dlr=CODES, receipts=(DONE,)),
    send("escapes of udh", "dlr-mask=9&udh=%05%00%03%01%02%01", dlr=CODES, receipts=(DONE,)),
    send("escapes of meta-data", "dlr-mask=9&meta-data=%3Fsmpp%3Fone%3Dvalue", dlr="D=%D&one=%#smpp#one#&err=%#smpp#dlr_err#&no=%#smpp#no#", receipts=(DONE,)),
    send("escape at the end", "dlr-mask=8", dlr="a=%"),
    send("escapes that are none", "dlr-mask=8", dlr="a=%j&b=%l&c=%y&d=%1&e=%%25&f=%G"),
    # Several.
    send("dlr of every part", f"username=long&dlr-mask=31&text={'a' * 200}", dlr="d=%d&F=%F", receipts=(DONE,)),
    send("dlr of every part when one is refused", f"username=long&dlr-mask=31&text={'a' * 400}", dlr="d=%d&F=%F", statuses=(0, 0x0B, 0), receipts=(DONE,)),
    send("dlr of every receiver", "to={to}+{to2}&dlr-mask=31", dlr="d=%d&p=%p", receipts=(DONE,)),
    # Receipts in all forms.
    *(send(f"receipt stat {stat}", "dlr-mask=31", dlr="d=%d&A=%A", receipts=(text(stat),)) for stat in ("DELIVRD", "EXPIRED", "DELETED", "UNDELIV", "ACCEPTD", "UNKNOWN", "REJECTD", "ENROUTE", "BUFFRED", "ACKED", "BUFFERD", "SKIPPED", "delivrd")),
    *(send(f"receipt state {value}", "dlr-mask=31", dlr="d=%d&A=%A&err=%#smpp#dlr_err#", receipts=(state(value),)) for value in range(11)),
    send("receipt state and another text", "dlr-mask=31", dlr="d=%d&A=%A", receipts=(state(2, b"id:0 sub:001 dlvrd:001 submit date:2611231200 done date:2611231201 stat:UNDELIV err:001 text:a"),)),
    send("receipt with a network error", "dlr-mask=31", dlr="d=%d&A=%A&err=%#smpp#dlr_err#&B=%B", receipts=(Receipt(b"", ((RECEIPTED_ID, b"{id}\0"), (STATE, b"\5"), (NETWORK_ERROR, b"\3\0\x21"))),)),
    send("receipt with an err", "dlr-mask=31", dlr="d=%d&A=%A&err=%#smpp#dlr_err#&B=%B", receipts=(text("UNDELIV", "045"),)),
    send("receipt with an err of letters", "dlr-mask=31", dlr="d=%d&err=%#smpp#dlr_err#&B=%B", receipts=(text("UNDELIV", "abc"),)),
    send("receipt that ends in err", "dlr-mask=31", dlr="d=%d&A=%A&err=%#smpp#dlr_err#", receipts=(text("UNDELIV", "045", ""),)),
    send("receipt without text", "dlr-mask=31", dlr="d=%d&A=%A", receipts=(text("DELIVRD", "000", " "),)),
    send("receipt in another order", "dlr-mask=31", dlr="d=%d&A=%A", receipts=(Receipt(b"stat:DELIVRD err:000 id:{id} done"),)),
    send("receipt with few words", "dlr-mask=31", dlr="d=%d&A=%A", receipts=(Receipt(b"id:{id} stat:DELIVRD "),)),
    send("receipt of a stranger", "dlr-mask=31", dlr="d=%d&A=%A", receipts=(Receipt(b"id:unknown sub:001 dlvrd:001 submit date:2611231200 done date:2611231201 stat:DELIVRD err:000 text:"),)),
    send("receipt twice", "dlr-mask=31", dlr="d=%d", receipts=(DONE, DONE)),
    send("receipt failed then delivered", "dlr-mask=31", dlr="d=%d", receipts=(FAILED, DONE)),
    send("receipt buffered twice then delivered", "dlr-mask=31", dlr="d=%d", receipts=(BUFFERED, BUFFERED, DONE)),
    send("receipt with the intermediate class", "dlr-mask=31", dlr="d=%d", receipts=(DONE._replace(esm_class=0x20),)),
    send("receipt with the acknowledgement class", "dlr-mask=31", dlr="d=%d", receipts=(DONE._replace(esm_class=0x08),)),
    send("receipt with octets", "dlr-mask=1", dlr="A=%A", receipts=(text("DELIVRD", "000", " text:\x01&=+ %d"),)),
)  # fmt: skip
