"""Groups become models with Kannel's defaults; what Kannel would not start with is refused."""

import re
import subprocess
from pathlib import Path

import pytest

from smppgw.kannel import conf
from smppgw.kannel.conf import ConfError
from smppgw.kannel.meaning import model
from smppgw.kannel.model import Core, Kannel, SendsmsUser, Smsbox, Smsc
from smppgw.ports import free_port
from tests.interop.stacks import need

EXAMPLES = [*sorted(Path("/usr/share/doc/kannel/examples").glob("*.conf")), Path("/etc/kannel/kannel.conf")]
"""Of Debian's package."""

SMPP = "group = smsc\nsmsc = smpp\nhost = h\nsmsc-username = u\nsmsc-password = p\n"
SYSTEM_TYPE = 'system-type = ""\n'
BOX = "group = opensmppbox\nour-system-id = a\nsmpp-logins = b\n"

# What bearerbox does not start with.
BEARERBOX = {
    "group = smsc\nsmsc-id = a\n": "k.conf:1: this smsc has no type",
    SMPP: "k.conf:1: system-type is missing in this group",
    "group = smsc\nsmsc = smpp\nsmsc-username = u\nsmsc-password = p\n" + SYSTEM_TYPE: "host is missing",
    "group = smsc\nsmsc = smpp\nhost = h\nsmsc-password = p\n" + SYSTEM_TYPE: "smsc-username is missing",
    "group = smsc\nsmsc = smpp\nhost = h\nsmsc-username = u\n" + SYSTEM_TYPE: "smsc-password is missing",
    SMPP + SYSTEM_TYPE + "port = 1\nreceive-port = 2\n": "port and receive-port are in one smsc",
    SMPP + SYSTEM_TYPE + "service-type = 1234567\n": "service-type has more than 6 characters",
    SMPP + SYSTEM_TYPE + "msg-id-type = 4\n": "msg-id-type is out of range",
    SMPP + SYSTEM_TYPE + "wait-ack-expire = 4\n": "wait-ack-expire is out of range",
    SMPP + SYSTEM_TYPE + "priority = 4\n": "priority is out of range",
    SMPP + SYSTEM_TYPE + "validityperiod = -1\n": "validityperiod is less than 0",
    SMPP + SYSTEM_TYPE + "allowed-prefix-regex = (\n": "k.conf:7: allowed-prefix-regex is no regular expression",
    SMPP + SYSTEM_TYPE + "\ngroup = smpp-tlv\nname = a\ntag = 1\nlength = 1\n": "k.conf:8: type is missing",
    SMPP + SYSTEM_TYPE + "\ngroup = smpp-tlv\nname = a\ntag = 1\nlength = 1\ntype = x\n": "there is no type 'x'",
    "group = smsbox-route\nsmsc-id = a\n": "k.conf:1: smsbox-id is missing",
}
# What smsbox does not start with.
SMSBOX = {
    "group = sendsms-user\nusername = a\n": "password is missing",
    "group = sms-service\ntext = a\n": "neither keyword nor keyword-regex is in this group",
    "group = sms-service\nkeyword = a\nkeyword-regex = b\ntext = a\n": "keyword and keyword-regex are in this group",
    "group = sms-service\nkeyword = a\n": "this sms-service does nothing",
    "group = sms-service\nkeyword-regex = (\ntext = a\n": "keyword-regex is no regular expression",
}
OPENSMPPBOX = {
    "group = opensmppbox\nsmpp-logins = a\n": "our-system-id is missing",
    "group = opensmppbox\nour-system-id = a\n": "smpp-logins is missing",
    BOX + "\ngroup = smsc-route\nshortcode = 1\n": "smsc-id is missing",
}
ALL = {**BEARERBOX, **SMSBOX, **OPENSMPPBOX}


def read(text: str) -> Kannel:
    return model(conf.parse(text.encode(), "k.conf"))


@pytest.mark.parametrize("text", ALL)
def test_what_kannel_needs_is_asked_for(text: str) -> None:
    with pytest.raises(ConfError, match=re.escape(ALL[text])):
        read(text)


@pytest.mark.interop
@pytest.mark.parametrize("text", [*BEARERBOX, *SMSBOX])
def test_kannel_does_not_start_without_it(text: str, tmp_path: Path) -> None:
    need("kannel")
    core = f"group = core\nadmin-port = {free_port()}\nadmin-password = a\nsmsbox-port = {free_port()}\n\n"
    boxes = "group = smsbox\nbearerbox-host = 127.0.0.1\n\n"
    fake = f"group = smsc\nsmsc = fake\nhost = 127.0.0.1\nport = {free_port()}\n\n"  # without any it ends at once
    (tmp_path / "k.conf").write_text(f"{core}{boxes}{fake}{text}")
    box = "bearerbox" if text in BEARERBOX else "smsbox"
    done = subprocess.run([f"/usr/sbin/{box}", "k.conf"], cwd=tmp_path, capture_output=True, timeout=10, check=False)
    said = (done.stdout + done.stderr).decode("latin-1")
    assert "PANIC" in said
    assert "Couldn't connect to the bearerbox" not in said


@pytest.mark.interop
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_kannels_own_examples_load(example: Path) -> None:
    need("kannel")
    found = conf.load(example)
    assert found.groups
    assert not found.notes
    model(found)


@pytest.mark.interop
def test_the_example_of_a_whole_set_up_is_understood() -> None:
    need("kannel")
    found = model(conf.load("/usr/share/doc/kannel/examples/kannel.conf"))
    assert (found.core.admin_port, found.core.admin_password) == (13000, "bar")
    assert found.smsbox is not None
    assert found.smsbox.sendsms_port == 13013
    assert [(user.username, user.user_allow_ip) for user in found.sendsms_users] == [
        ("tester", None),
        ("kannel", "127.0.0.1"),
    ]
    assert [service.text for service in found.sms_services] == ["No service specified"]


def test_all_that_is_missing_is_said_at_once() -> None:
    with pytest.raises(ConfError) as found:
        read("group = smsc\nsmsc = smpp\n\ngroup = sendsms-user\n\ngroup = sms-service\n")
    assert len(found.value.problems) == 7


def test_without_a_group_its_defaults_hold() -> None:
    assert read("") == Kannel()
    assert Core().queue_limit == 1_000_000


def test_values_have_their_types() -> None:
    [one] = read(
        SMPP + SYSTEM_TYPE + "throughput = 2.5\ntransceiver-mode = yes\nwait-ack = 0x10\nallowed-smsc-id = a;b\n"
        "unified-prefix = +358,00358,0;+,00\ninstances = many\n"
    ).smscs
    assert (one.throughput, one.transceiver_mode, one.wait_ack) == (2.5, True, 16)
    assert one.allowed_smsc_id == ("a", "b")
    assert one.unified_prefix == (("+358", "00358", "0"), ("+", "00"))
    assert one.instances == 1  # what is no number counts as absent


def test_expressions_are_pythons() -> None:
    [user] = read(
        'group = sendsms-user\nusername = a\npassword = b\nwhite-list-regex = "^[[:digit:]]+$"\n'
    ).sendsms_users
    assert user.white_list_regex == "^[0-9]+$"


@pytest.mark.parametrize(
    ("one", "name"),
    [
        (Smsc(smsc="smpp", host="h", port=1, system_id="u", system_type="VMA"), "SMPP:h:1/0:u:VMA"),
        (Smsc(smsc="smpp", host="h", receive_port=1, smsc_username="u", system_type=""), "SMPP:h:0/1:u:"),
        (Smsc(smsc="smpp", host="h", port=1, transceiver_mode=True, use_ssl=True, smsc_username="u", system_type=""),
         "SSMPP:h:1/1:u:"),
        (Smsc(smsc="smpp", host="h", smsc_username="u", system_type=""), "SMPP:h:2775/0:u:"),
        (Smsc(smsc="fake", host="h", port=3), "FAKE:3"),
        (Smsc(smsc="http", system_type="kannel", port=3), "HTTP:kannel:3"),
    ],
)  # fmt: skip
def test_an_smsc_without_an_id_has_the_name_of_the_status_page(one: Smsc, name: str) -> None:
    assert one.name == one.id == name


def test_an_smsc_has_its_id() -> None:
    assert Smsc(smsc="smpp", smsc_id="a").id == "a"


def test_a_user_without_a_name_is_known_by_its_username() -> None:
    assert SendsmsUser(username="a").service == "a"
    assert SendsmsUser(username="a", name="b").service == "b"


def test_connections_know_their_kind() -> None:
    found = read("group = mysql-connection\nid = a\nhost = h\n\ngroup = redis-connection\nid = b\nport = 1\n\n"
                 "group = dlr-db\nid = a\ntable = t\nttl = 5\nfield-boxc-id = c\n")  # fmt: skip
    assert [(each.kind, each.id, each.host, each.port) for each in found.connections] == [
        ("mysql", "a", "h", None),
        ("redis", "b", None, 1),
    ]
    assert found.dlr_db is not None
    assert (found.dlr_db.table, found.dlr_db.ttl, found.dlr_db.field_boxc_id) == ("t", 5, "c")


def test_the_old_name_of_the_queue_limit_still_counts() -> None:
    assert read("group = core\nmaximum-queue-length = 5\n").core.queue_limit == 5
    assert read("group = core\nmaximum-queue-length = 5\nsms-outgoing-queue-limit = -1\n").core.queue_limit == -1


def test_texts_keep_their_octets() -> None:
    found = model(conf.parse(b"group = smsbox\nreply-requestfailed = \xe9\n"))
    assert found.smsbox is not None
    assert found.smsbox.reply_requestfailed.encode(errors="surrogateescape") == b"\xe9"
    assert Smsbox().reply_emptymessage == "<Empty reply from service provider>"
