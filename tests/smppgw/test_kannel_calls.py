"""What applications are asked, octet for octet as smsbox 1.4.5 asked them."""

from typing import Any

from smppgw.kannel.calls import Call, addressed, call
from smppgw.kannel.escapes import Sms
from smppgw.kannel.incoming import Mobile
from smppgw.kannel.lists import OPEN
from smppgw.kannel.model import SmsService
from smppgw.kannel.services import Service, Services

NOW = 1_795_451_627.0
"""2026-11-23 16:33:47"""

SMS = Sms(
    sender=b"447700900001", receiver=b"12345", text=b"post hello world", time=int(NOW), smsc_id=b"one", account=b"esme",
    meta_data=b"?smpp?", coding=0, compress=0, alt_dcs=0,
)  # fmt: skip


def service(keyword: str = "post", **keys: Any) -> Service:
    services = Services([SmsService(keyword=keyword, **{"catch_all": True, **keys})], lambda _: OPEN)
    found = services.find(Sms(text=keyword.encode() + b" x"))
    assert found is not None
    return found


def asked(keyed: Service, sms: Sms = SMS, pid: int = 0, rpi: int = -1) -> Call:
    return call(keyed, addressed(Mobile(sms, pid, rpi), keyed, b""), NOW)


def test_a_get_has_its_url_and_nothing_else() -> None:
    url = "http://a/?%k-%s-%r-%b-%p-%P-%i-%n-%o"
    said = asked(service(get_url=url, catch_all=True, name="n m"))
    assert said == (b"GET", b"http://a/?post-hello-world-post+hello+world-447700900001-12345-one-n+m-esme", (), None)


def test_a_get_tells_the_sender_where_it_is_to() -> None:
    said = asked(service(get_url="http://a/", catch_all=True, send_sender=True))
    assert said.headers == ((b"X-Kannel-From", b"447700900001"),)


def test_a_post_has_the_message_as_its_body() -> None:
    said = asked(service(post_url="http://a/?%b", send_sender=True, strip_keyword=True))
    assert (said.method, said.url, said.body) == (b"POST", b"http://a/?post+hello+world", b"hello world")
    assert said.headers == (
        (b"Content-Type", b'text/plain; charset="UTF-8"'),
        (b"X-Kannel-From", b"447700900001"),
        (b"X-Kannel-To", b"12345"),
        (b"X-Kannel-Time", b"2026-11-23 16:33:47"),
        (b"Date", b"2026-11-23 16:33:47"),
        (b"X-Kannel-SMSC", b"one"),
        (b"X-Kannel-PID", b"0"),
        (b"X-Kannel-Alt-DCS", b"0"),
        (b"X-Kannel-Coding", b"0"),
        (b"X-Kannel-Compress", b"0"),
        (b"X-Kannel-Service", b"^[ ]*(post)[ ]*"),
        (b"X-Kannel-Meta-Data", b"?smpp?"),
    )


def test_a_post_tells_of_the_air() -> None:
    sms = SMS._replace(udh=bytes.fromhex("0605040b8423f0"), mwi=0, compress=-1, mclass=1, binfo=b"BILL", coding=1)
    headers = dict(asked(service(post_url="http://a/"), sms, 65, 1).headers)
    assert headers[b"Content-Type"] == b"application/octet-stream"
    assert headers[b"X-Kannel-UDH"] == b"%06%05%04%0B%84%23%F0"
    names = ("MClass", "PID", "RPI", "MWI", "Coding", "BInfo")
    assert [headers[f"X-Kannel-{name}".encode()] for name in names] == [b"1", b"65", b"1", b"0", b"1", b"BILL"]
    assert b"X-Kannel-Compress" not in headers
    assert b"X-Kannel-From" not in headers


def test_ucs2_is_posted_as_it_is() -> None:
    sms = SMS._replace(text="post é".encode("utf-16-be"), coding=2)
    said = asked(service(post_url="http://a/"), sms)
    assert (dict(said.headers)[b"Content-Type"], said.body) == (b'text/plain; charset="UTF-16BE"', sms.text)


def test_a_service_may_want_another_charset() -> None:
    sms = SMS._replace(text="zalt é".encode())
    assert asked(service(get_url="http://a/?%b&%C", alt_charset="ISO-8859-1"), sms).url == b"http://a/?zalt+%E9&UTF-8"
    assert asked(service(get_url="http://a/?%b", alt_charset="UCS-2"), sms._replace(text=b"z")).url == b"http://a/?z%00"
    assert asked(service(get_url="http://a/?%b", alt_charset="ASCII"), sms).url == b"http://a/?zalt+%C3%A9"
    assert asked(service(get_url="http://a/?%b", alt_charset="UTF-8"), sms._replace(coding=2)).url.endswith(b"%C3%A9")


def test_the_number_that_it_came_to_is_whoever_the_reply_will_be_from() -> None:
    keyed = service(get_url="http://a/?%P")
    assert addressed(Mobile(SMS), keyed, b"4242").sms.receiver == b"4242"
    fake = service(get_url="http://a/?%P", faked_sender="999")
    assert addressed(Mobile(SMS), fake, b"4242").sms.receiver == b"999"


def test_a_posted_document_is_kannels_to_the_blank() -> None:
    sms = SMS._replace(text=b"xml <b>&")
    said = asked(service("xml", post_xml="http://a/?%b", send_sender=True), sms)
    assert (said.url, said.headers) == (
        b"http://a/?xml+%3Cb%3E%26",
        ((b"Content-Type", b"text/xml"), (b"Date", b"2026-11-23 16:33:47")),
    )
    assert said.body == (
        b'<?xml version="1.0" encoding="ISO-8859-1"?>\n<message cid="1">\n\t<submit>\n'
        b"  \t\t<oa>  \t\t<number>447700900001</number>\n</oa>\n  \t\t<da>  \t\t<number>12345</number>\n</da>\n"
        b"  \t\t<ud>xml+%3Cb%3E%26</ud>\n  \t\t<pid>0</pid>\n"
        b"  \t\t<dcs>  \t\t<coding>0</coding>\n  \t\t<alt-dcs>0</alt-dcs>\n  \t\t<compress>0</compress>\n</dcs>\n"
        b"  \t\t<at><year>2026</year><month>11</month><day>23</day><hour>16</hour><minute>33</minute>"
        b"<second>47</second><timezone>0</timezone></at>\n  \t\t<from>  \t\t<account>one</account>\n</from>\n"
        b"  \t\t<to>  \t\t<service>^[ ]*(xml)[ ]*</service>\n</to>\n  \t\t<meta-data>?smpp?</meta-data>\n"
        b"\t</submit>\n</message>\n"
    )


def test_a_document_names_its_charset_where_kannel_does() -> None:
    keyed = service("xml", post_xml="http://a/")
    assert dict(asked(keyed, SMS._replace(coding=2)).headers)[b"Content-Type"] == b'text/xml; charset="ISO-8859-1"'
    recoded = asked(keyed, SMS._replace(charset=b"UTF-8"))
    assert dict(recoded.headers)[b"Content-Type"] == b'text/xml; charset="UTF-8"'
    assert recoded.body is not None
    assert recoded.body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
