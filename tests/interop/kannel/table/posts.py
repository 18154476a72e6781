"""POST sendsms: headers, XML, forms."""

from tests.interop.kannel.row import Row, post

LOGIN = {"X-Kannel-Username": "tester", "X-Kannel-Password": "foobar", "X-Kannel-From": "100", "X-Kannel-To": "{to}"}
TEXT = {**LOGIN, "Content-Type": "text/plain"}


def without(headers: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in names}


def headed(name: str, more: dict[str, str], body: bytes | str = "hello") -> Row:
    return post(name, body, {**TEXT, **more})


def xml(
    name: str, inner: str, *, login: str = "<user><username>tester</username><password>foobar</password></user>"
) -> Row:
    """A submit document; `login` is the inside of from."""
    document = f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE message SYSTEM "kannel.dtd">\n<message><submit>{inner}<from>{login}</from></submit></message>'
    return post(name, document, {"Content-Type": "text/xml"})


DA = "<da><number>{to}</number></da>"
OA = "<oa><number>100</number></oa>"
UD = "<ud>hello</ud>"

POSTS: tuple[Row, ...] = (
    headed("POST text/plain", {}),
    headed("POST text/plain with a charset", {"Content-Type": "text/plain; charset=ISO-8859-1"}, b"Caf\xe9"),
    headed("POST text/plain with X-Kannel-Charset", {"X-Kannel-Charset": "ISO-8859-1"}, b"Caf\xe9"),
    headed("POST text/plain of utf-8", {}, "Café €"),
    headed("POST text/plain of utf-16be", {"Content-Type": "text/plain; charset=UTF-16BE", "X-Kannel-Coding": "2"}, "Пр".encode("utf-16-be")),
    headed("POST text/html", {"Content-Type": "text/html"}, "<html><head><title>no</title></head><body><b>Hello</b> &amp; <i>you</i></body></html>"),
    headed("POST wml", {"Content-Type": "text/vnd.wap.wml"}, "<wml><card><p>Hello</p></card></wml>"),
    headed("POST octets", {"Content-Type": "application/octet-stream"}, b"\x00\x01\xff"),
    headed("POST octets with coding 0", {"Content-Type": "application/octet-stream", "X-Kannel-Coding": "0"}, b"hello"),
    headed("POST of an unknown type", {"Content-Type": "image/png"}),
    post("POST without a type", "hello", LOGIN),
    headed("POST of an empty body", {}, b""),
    headed("POST with a broken type", {"Content-Type": "rubbish"}),
    post("POST without a login", "hello", without(TEXT, "X-Kannel-Username", "X-Kannel-Password")),
    headed("POST with a wrong password", {"X-Kannel-Password": "wrong"}),
    post("POST without a sender", "hello", without(TEXT, "X-Kannel-From")),
    post("POST without a receiver", "hello", without(TEXT, "X-Kannel-To")),
    headed("POST with an empty receiver", {"X-Kannel-To": ""}),
    headed("POST with two receivers", {"X-Kannel-To": "{to} {to2}"}),
    headed("POST with headers in small letters", {"x-kannel-mclass": "0"}),
    headed("POST with an smsc", {"X-Kannel-SMSC": "two"}),
    headed("POST with udh in hex", {"X-Kannel-UDH": "050003010201"}),
    headed("POST with udh that is not hex", {"X-Kannel-UDH": "xyz"}),
    headed("POST with udh of a wrong length", {"X-Kannel-UDH": "050003"}),
    headed("POST with mclass", {"X-Kannel-MClass": "0"}),
    headed("POST with bad mclass", {"X-Kannel-MClass": "7"}),
    headed("POST with mwi", {"X-Kannel-MWI": "2"}),
    headed("POST with bad mwi", {"X-Kannel-MWI": "9"}),
    headed("POST with coding", {"X-Kannel-Coding": "1"}),
    headed("POST with bad coding", {"X-Kannel-Coding": "9"}),
    headed("POST with compress", {"X-Kannel-Compress": "1"}),
    headed("POST with bad compress", {"X-Kannel-Compress": "9"}),
    headed("POST with pid", {"X-Kannel-PID": "65"}),
    headed("POST with bad pid", {"X-Kannel-PID": "300"}),
    headed("POST with rpi", {"X-Kannel-RPI": "2"}),
    headed("POST with alt-dcs", {"X-Kannel-Alt-DCS": "1", "X-Kannel-MClass": "1"}),
    headed("POST with bad alt-dcs", {"X-Kannel-Alt-DCS": "9"}),
    headed("POST with validity and deferred", {"X-Kannel-Validity": "60", "X-Kannel-Deferred": "30"}),
    headed("POST with bad validity", {"X-Kannel-Validity": "-5"}),
    headed("POST with bad deferred", {"X-Kannel-Deferred": "-5"}),
    headed("POST with priority", {"X-Kannel-Priority": "3"}),
    headed("POST with bad priority", {"X-Kannel-Priority": "9"}),
    headed("POST with account and binfo", {"X-Kannel-Account": "dep", "X-Kannel-BInfo": "CMT"}),
    headed("POST with meta-data", {"X-Kannel-Meta-Data": "?smpp?one=value"}),
    headed("POST with bad dlr-mask", {"X-Kannel-DLR-Mask": "99"}),
    headed("POST with bad dlr-url", {"X-Kannel-DLR-Url": "ftp"}),
    headed("POST with dlr", {"X-Kannel-DLR-Mask": "31", "X-Kannel-DLR-Url": "http://127.0.0.1:{catcher}/dlr?to={to}&d=%d&A=%A"}),
    headed("POST with too long a text", {}, "a" * 200),
    post("POST with the login in the query", "hello", {"Content-Type": "text/plain"}, path="/cgi-bin/sendsms?username=tester&password=foobar&from=1&to={to}"),
    post("POST of a form", "username=tester&password=foobar&from=100&to={to}&text=hello+form", {"Content-Type": "application/x-www-form-urlencoded"}),
    post("POST of a form with a charset", b"username=tester&password=foobar&from=100&to={to}&text=Caf%E9&charset=ISO-8859-1", {"Content-Type": "application/x-www-form-urlencoded"}),
    post("POST of a form with a wrong password", "username=tester&password=x&from=100&to={to}&text=hello", {"Content-Type": "application/x-www-form-urlencoded"}),
    post("POST of a form with parts", b'--cut\r\nContent-Disposition: form-data; name="username"\r\n\r\ntester\r\n--cut\r\nContent-Disposition: form-data; name="password"\r\n\r\nfoobar\r\n--cut\r\nContent-Disposition: form-data; name="to"\r\n\r\n{to}\r\n--cut\r\nContent-Disposition: form-data; name="from"\r\n\r\n100\r\n--cut\r\nContent-Disposition: form-data; name="text"\r\n\r\nparts\r\n--cut--\r\n', {"Content-Type": "multipart/form-data; boundary=cut"}),
    # Documents.
    xml("XML", DA + OA + UD),
    xml("XML with user and pass", DA + OA + UD, login="<user>tester</user><pass>foobar</pass>"),
    xml("XML with username", DA + OA + UD, login="<username>tester</username><password>foobar</password>"),
    xml("XML with an account", DA + OA + UD, login="<user><username>tester</username><password>foobar</password></user><account>dep</account>"),
    xml("XML with a wrong password", DA + OA + UD, login="<user><username>tester</username><password>bad</password></user>"),
    xml("XML without a login", DA + OA + UD, login=""),
    xml("XML with two receivers", "<da><number>{to}</number><number>{to2}</number></da>" + OA + UD),
    xml("XML without a receiver", OA + UD),
    xml("XML without a sender", DA + UD),
    xml("XML without a text", DA + OA),
    xml("XML with letters", DA + OA + "<ud>Café &amp; €</ud>"),
    xml("XML with udh", DA + OA + UD + "<udh>050003010201</udh>"),
    xml("XML with bad udh", DA + OA + UD + "<udh>05</udh>"),
    xml("XML with dcs", DA + OA + UD + "<dcs><mclass>1</mclass><coding>0</coding></dcs>"),
    xml("XML with mwi", DA + OA + UD + "<dcs><mwi>1</mwi></dcs>"),
    xml("XML with bad mclass", DA + OA + UD + "<dcs><mclass>9</mclass></dcs>"),
    xml("XML with coding 2", DA + OA + "<ud>Пр</ud><dcs><coding>2</coding></dcs>"),
    xml("XML with coding 1", DA + OA + "<ud>0102ff</ud><dcs><coding>1</coding></dcs>"),
    xml("XML with compress and alt-dcs", DA + OA + UD + "<dcs><compress>1</compress><alt-dcs>1</alt-dcs></dcs>"),
    xml("XML with pid and rpi", DA + OA + UD + "<pid>65</pid><rpi>2</rpi>"),
    xml("XML with bad pid", DA + OA + UD + "<pid>999</pid>"),
    xml("XML with validity", DA + OA + UD + "<vp><delay>60</delay></vp>"),
    xml("XML with deferred", DA + OA + UD + "<timing><delay>30</delay></timing>"),
    xml("XML with a priority", DA + OA + UD + "<priority>2</priority>"),
    xml("XML with meta-data", DA + OA + UD + "<meta-data>?smpp?one=value</meta-data>"),
    xml("XML with dlr", DA + OA + UD + "<statusrequest><dlr-mask>31</dlr-mask><dlr-url>http://127.0.0.1:{catcher}/dlr?to={to}&amp;d=%d</dlr-url></statusrequest>"),
    xml("XML to an smsc", DA + OA + UD + "<to>two</to>"),
    xml("XML with an unknown element", DA + OA + UD + "<colour>blue</colour>"),
    post("XML in latin-1", b'<?xml version="1.0" encoding="ISO-8859-1"?><message><submit>' + DA.encode() + OA.encode() + b"<ud>Caf\xe9</ud><from><user><username>tester</username><password>foobar</password></user></from></submit></message>", {"Content-Type": "text/xml; charset=ISO-8859-1"}),
    post("XML that is broken", "<message><submit>", {"Content-Type": "text/xml"}),
    post("XML that is another document", "<html><body>{to}</body></html>", {"Content-Type": "text/xml"}),
    post("XML that is empty", b"", {"Content-Type": "text/xml"}),
)  # fmt: skip
