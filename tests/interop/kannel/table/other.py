"""A smsbox with other manners: answers at once, a global sender, prefixes rewritten, short messages, texts of its own."""

from tests.interop.kannel.row import NOTHING, Answer, Ask, Row, mo, send
from tests.interop.kannel.table.dlr import DONE

PLAIN = {"Content-Type": "text/plain"}


def other(name: str, query: str = "", *, without: str = "", dlr: str | None = None) -> Row:
    return send(f"other: {name}", query, without=without, dlr=dlr, scene="other", path="/send", receipts=(DONE,))


def phone(name: str, text: bytes, answer: Answer = NOTHING, *, source: str = "{to}", to: str = "2000") -> Row:
    return mo(f"other: {name}", text, answer, source=source, to=to, scene="other")


OTHER: tuple[Row, ...] = (
    other("simplest"),
    Row("other: the usual path", "other", Ask("/cgi-bin/sendsms?username=tester&password=foobar&to={to}&text=a")),
    other("no sender", without="from"),
    other("empty sender", "from="),
    other("faked sender", "username=faked"),
    other("default sender without from", "username=sender", without="from"),
    other("two receivers", "to={to}+{to2}"),
    other("receivers with a bad one", "to={to}+abc"),
    other("receivers with many bad ones", "to=abc+{to}+def"),
    other("receivers that are all bad", "to=abc"),
    other("receiver with a star", "to=*{to}%23"),
    other("wrong password", "password=x"),
    other("no receiver", without="to"),
    other("text of 20", "text=" + "a" * 20),
    other("text of 21", "text=" + "a" * 21),
    other("text of 21 in parts", "username=long&text=" + "a" * 21),
    other("text of 100 in parts", "username=long&text=" + "a" * 100),
    other("text of 41 joined", "username=joined&text=" + "a" * 41),
    other("parts to two", "username=long&to={to}+{to2}&text=" + "a" * 41),
    other("receiver with two zeros", "to=00{to}"),
    other("receiver with one zero", "to=0{to}"),
    other("receiver with a plus", "to=%2B{to}"),
    other("sender with a plus", "from=%2B447700900001"),
    other("sender with two zeros", "from=00447700900001"),
    other("an smsc that there is not", "smsc=nowhere"),
    other("dlr", "dlr-mask=31", dlr="d=%d&p=%p&P=%P&q=%q&Q=%Q"),
    other("bad mclass", "mclass=9"),
    phone("MO", b"hello there", Answer(200, PLAIN, b"ok")),
    phone("MO from a plus", b"hello there", Answer(200, PLAIN, b"ok"), source="+{to}"),
    phone("MO from two zeros", b"hello there", Answer(200, PLAIN, b"ok"), source="00{to}"),
    phone("MO to another", b"hello there", Answer(200, PLAIN, b"ok"), to="3000"),
    phone("MO answered with nothing", b"hello", Answer(200, PLAIN, b"")),
    phone("MO answered with too much", b"hello", Answer(200, PLAIN, b"a" * 50)),
    phone("MO answered with an image", b"hello", Answer(200, {"Content-Type": "image/png"}, b"png")),
    phone("MO answered with 500", b"hello", Answer(500, PLAIN, b"oh")),
    phone("MO where nobody listens", b"unreachable"),
    phone("MO by an empty text", b"empty"),
)  # fmt: skip
