"""A Kannel set-up becomes a good config, and each line without a place there is told with the reason."""

import stat
import tomllib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from smppgw import config
from smppgw.cli import app
from smppgw.kannel import conf, keys
from smppgw.kannel.conf import ConfError
from smppgw.kannel.importer import Imported, convert

CORE = """
group = core
admin-port = 13000
admin-password = bar
log-level = 1
dlr-storage = internal
sms-outgoing-queue-limit = 5000
"""
SMSC = """
group = smsc
smsc = smpp
smsc-id = {id}
host = smsc.example
port = 2775
smsc-username = user
smsc-password = pass
system-type = ""
transceiver-mode = true
"""
ONE = SMSC.format(id="one")
TWO = SMSC.format(id="two") + "allowed-smsc-id = two\n"
BOX = """
group = opensmppbox
our-system-id = chim
opensmppbox-port = 2346
smpp-logins = logins
"""
LOGINS = b"alice pw1 t1 *.*.*.*\nbob pw2 t2 10.0.*.*;127.0.0.1\ncarol pw3 t2\n"
USER = """
group = sendsms-user
username = tester
password = foobar
"""


def imported(text: str, logins: bytes = LOGINS) -> Imported:
    return convert(conf.parse(text.encode()), lambda path: {"logins": logins}[path])


def told(found: Imported) -> list[str]:
    return [str(problem) for problem in found.lost]


def test_a_whole_set_up_is_a_good_config() -> None:
    found = imported(CORE + ONE + TWO + BOX + USER)
    parsed = config.parse(found.tables)
    assert list(parsed.accounts) == ["alice", "bob", "carol", "tester"]
    assert list(parsed.connectors) == ["one", "two"]
    assert parsed.gateway.name == "chim"
    assert parsed.gateway.max_queued == 5000
    assert parsed.log.level == "info"
    assert [(each.host, each.port) for each in parsed.listeners] == [("0.0.0.0", 2346)]
    assert [str(warning) for warning in config.warnings(parsed)] == [
        "accounts.tester.networks: is empty; this account can bind from nowhere",
        "connectors.two: no route leads to it; name it in a route or a group",
    ]
    assert tomllib.loads(found.text) == found.tables


def test_a_login_binds_from_where_it_could() -> None:
    accounts = config.parse(imported(CORE + ONE + BOX).tables).accounts
    assert accounts["alice"].admits("192.0.2.1")
    assert accounts["bob"].admits("10.0.7.7")
    assert not accounts["bob"].admits("192.0.2.1")
    assert accounts["carol"].admits("192.0.2.1")
    assert accounts["carol"].verifies(b"pw3")


def test_a_sendsms_user_may_bind_from_nowhere() -> None:
    found = imported(ONE + USER)
    assert not config.parse(found.tables).accounts["tester"].admits("127.0.0.1")
    assert any("sendsms-user tester is an account that may bind from nowhere" in line for line in told(found))


def test_without_opensmppbox_only_this_machine_is_listened_to() -> None:
    found = imported(ONE + USER)
    assert found.tables["listeners"] == [{"host": "127.0.0.1", "port": 2775}]


def test_a_quiet_esme_stays_bound() -> None:
    assert config.parse(imported(CORE + ONE + BOX).tables).timers.inactivity == 0


def routes(found: Imported) -> list[tuple[str, dict[str, list[str]]]]:
    return [(route["to"], route.get("match", {})) for route in found.tables["routes"]]


def test_an_id_is_for_messages_in_the_order_of_opensmppbox() -> None:
    ways = """
group = smsc-route
smsc-id = two
smsbox-id = t2

group = smsc-route
smsc-id = two
shortcode = +5678;90

group = smsc-route
smsc-id = two
smsbox-id = t1
shortcode = 1234

group = smsc-route
smsc-id = two
receiver-shortcode = 4711
"""
    only = SMSC.format(id="one") + "denied-smsc-id = two\n"
    assert routes(imported(only + TWO + BOX + ways)) == [
        ("two", {"destination": ["4711", "+4711"]}),
        ("two", {"source": ["1234"], "account": ["alice"]}),
        ("two", {"source": ["+5678", "5678", "90"]}),
        ("two", {"account": ["bob", "carol"]}),
        ("one", {}),
    ]


def test_the_boxs_own_id_is_for_all_other_messages() -> None:
    assert routes(imported(ONE + TWO + BOX + "route-to-smsc = two\n")) == [("one+two", {})]


def test_a_users_id_is_for_its_messages() -> None:
    only = SMSC.format(id="one") + "denied-smsc-id = two\n"
    assert routes(imported(only + TWO + USER + "default-smsc = two\n")) == [
        ("two", {"account": ["tester"]}),
        ("one", {}),
    ]
    assert routes(imported(only + TWO + USER + "forced-smsc = one\ndefault-smsc = two\n")) == [
        ("one", {"account": ["tester"]}),
        ("one", {}),
    ]


def test_the_system_id_may_be_the_boxs_id() -> None:
    way = "\ngroup = smsc-route\nsmsc-id = two\nsmsbox-id = alice\n"
    found = imported(ONE + TWO + BOX + "use-systemid-as-smsboxid = true\n" + way)
    assert routes(found)[0] == ("one+two", {"account": ["alice"]})
    assert not any("system_type" in line for line in told(found))


def test_messages_from_mobiles_go_where_smsbox_routes_lead() -> None:
    ways = "\ngroup = smsbox-route\nsmsbox-id = t1\nsmsc-id = one\nshortcode = 1234;+5678\n"
    found = imported(ONE + BOX + ways)
    assert found.tables["mo_routes"] == [
        {"account": "alice", "match": {"connector": ["one"], "destination": ["1234", "+5678", "5678"]}}
    ]
    assert any("other messages from mobiles go to no ESME" in line for line in told(found))


def test_a_single_login_gets_all_messages_from_mobiles() -> None:
    assert imported(ONE + BOX, b"alice pw t1").tables["mo_routes"] == [{"account": "alice"}]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (CORE, "kannel.conf:3: admin-port has no place; gateway.toml has an admin API of its own, [api];"),
        (CORE, "kannel.conf:6: dlr-storage means nothing here; what waits for its receipt"),
        ("group = core\nwapbox-port = 1\n", "kannel.conf:2: wapbox-port is refused; WAP is not spoken here"),
        ("group = core\nblack-list = x\n", "kannel.conf:2: black-list has no place; gateway.toml has no black"),
        ("group = core\nadmin-port = 1\nadmin-port = 2\n", "kannel.conf:2: this admin-port is forgotten"),
        ("group = smsc\nsmsc = http\nsmsc-id = h\n", "kannel.conf:1: smsc h is left out: it is an smsc = http"),
        ("group = smsc\nsmsc = http\n", '`smppgw serve --kannel` has it; here a connector of kind "template"'),
        ("group = smsc\nsmsc = fake\n", "smsc = fake; only `smppgw serve --kannel` has such a connector"),
        ("group = smsc\nsmsc = at\n", "kannel.conf:2: smsc is refused; smsc = at: modems"),
        (ONE + "priority = 1\n", "kannel.conf:11: priority has no place; a message keeps what its ESME wrote"),
        (ONE + "device = x\n", "kannel.conf:11: device means nothing here; Kannel does not read it in an smsc = smpp"),
        (ONE + "alt-charset = KOI8-R\n", "kannel.conf:11: alt-charset KOI8-R is not known"),
        (ONE + "interface-version = 35\n", "kannel.conf:11: no such version of SMPP is known"),
        (ONE + "wait-ack-expire = 2\n", "kannel.conf:11: a message without its answer waits for a person"),
        (ONE + "source-addr-ton = 2\n", "kannel.conf:11: source-addr-ton does nothing; Kannel takes it only with"),
        (ONE + "use-ssl = true\n", "kannel.conf:11: the SMSC's certificate must be good for its host"),
        (ONE + "unified-prefix = 1,0,2\n", "kannel.conf:11: unified-prefix is too rich"),
        (ONE + "dead-start = true\n", "kannel.conf:2: smsc one is left out: it is a dead-start"),
        ("group = core\nunified-prefix = 1,0\n" + ONE + "denied-prefix = 1\n", "kannel.conf:2: routes look at numbers"),
        (
            "group = smpp-tlv\nname = a\ntag = 1\ntype = integer\nlength = 1\nconst = 1\n",
            "no connector sends the const",
        ),
        ("group = sms-service\nkeyword = a\ntext = b\n", "group sms-service has no place; gateway.toml has a REST API"),
        (BOX + "\ngroup = smsbox-route\nsmsbox-id = x\n", "kannel.conf:7: the smsbox-route of x leads to no login"),
        (BOX + "\ngroup = smsbox-route\nsmsbox-id = t1\nsmsc-id = x\n", "none of its smsc-ids is a connector: x"),
        (BOX, "logins:1: the system_type 't1' of alice is not asked for"),
        (BOX.replace("logins\n", "none\n"), "kannel.conf:2: none cannot be read"),
        (USER.replace("tester", "a" * 16), "is left out: it has 16 octets; a system_id has 1 to 15"),
        (USER.replace("tester", "alice") + BOX, "sendsms-user alice is left out: there is an account of that name"),
        (ONE.replace("= user", f"= {'u' * 16}") + USER, "the result is not good: connectors.one.system_id"),
        ("group = core\n", "kannel.conf: there is nobody who may submit; add a table [accounts.NAME]"),
    ],
)
def test_what_has_no_place_is_told_line_by_line(text: str, line: str) -> None:
    def read(path: str) -> bytes:
        if path != "logins":
            raise FileNotFoundError(2, "No such file or directory")
        return LOGINS

    found = convert(conf.parse(text.encode()), read)
    assert any(line in each for each in told(found)), told(found)


def test_logins_that_clash_or_are_none_are_told() -> None:
    found = imported(ONE + BOX, b"a pw t\na pw2 u\nb\nc \xff t 10.*.0.1\n")
    lines = told(found)
    assert (
        "logins:2: there is another login a: this one is left out; a system_id has one password and one system_type"
        in lines
    )
    assert any(line.startswith("logins:3: there are 1 words") for line in lines)
    assert any(line.startswith("logins:4: the password is not UTF-8") for line in lines)
    assert any(line.startswith("logins:4: 10.*.0.1 is no network") for line in lines)
    assert found.tables["accounts"]["c"]["networks"] == []


def test_an_honoured_line_of_an_smsc_is_told_only_where_it_has_no_place() -> None:
    assert not any(":2" in line or ":9" in line for line in told(imported(ONE + USER)) if "kannel.conf:" in line)


@pytest.mark.parametrize("example", ["kannel.conf", "modems.conf", "dlr-mysql.conf"])
def test_kannels_examples_are_imported(example: str) -> None:
    path = Path("/usr/share/doc/kannel/examples", example)
    if not path.exists():
        pytest.skip("Kannel's examples are not installed (Debian package kannel)")
    found = convert(conf.load(path))
    assert found.lost
    assert tomllib.loads(found.text) == found.tables


KEYS = {group: sorted(table) for group, table in keys.KNOWN.items()}
VALUE = st.text("ab01+*;,.x=-\xe9 ", max_size=8) | st.sampled_from(
    ["smpp", "http", "2", "true", "one", "logins", "integer"]
)

COMPULSORY = {
    "core": "",
    "smsc": ONE,
    "sendsms-user": USER,
    "smpp-tlv": "\ngroup = smpp-tlv\nname = a\ntag = 0x1400\nlength = 2\ntype = integer\n",
    "opensmppbox": BOX,
    "smsc-route": "\ngroup = smsc-route\nsmsc-id = one\n",
    "smsbox-route": "\ngroup = smsbox-route\nsmsbox-id = t1\n",
}
GROUP = st.sampled_from(list(COMPULSORY))


@st.composite
def set_ups(draw: st.DrawFn) -> str:
    lines = [CORE, BOX]
    for name in draw(st.lists(GROUP, max_size=5)):
        lines.append(COMPULSORY[name].rstrip() or "\ngroup = core")
        lines += [f'{key} = "{draw(VALUE)}"' for key in draw(st.lists(st.sampled_from(KEYS[name]), max_size=6))]
    return "\n".join(lines)


@given(set_ups(), st.text("ab 1.*;\n\xe9"))
def test_any_set_up_is_imported_or_refused(text: str, logins: str) -> None:
    with suppress(ConfError):
        found = convert(conf.parse(text.encode()), lambda _: logins.encode("latin-1"))
        assert tomllib.loads(found.text) == found.tables
        if not any("not good" in line or "nobody who may submit" in line for line in told(found)):
            config.parse(found.tables)


def smppgw(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)


def test_the_command_prints_the_config_and_what_is_not_in_it(tmp_path: Path) -> None:
    (tmp_path / "kannel.conf").write_text(ONE + USER)
    result = smppgw("import-kannel", tmp_path / "kannel.conf")
    assert result.exit_code == 0
    assert config.parse(tomllib.loads(result.stdout)).connectors.keys() == {"one"}
    assert "kannel.conf:12: sendsms-user tester is an account" in result.stderr


def test_the_command_writes_a_file_that_others_cannot_read(tmp_path: Path) -> None:
    (tmp_path / "kannel.conf").write_text(ONE + USER)
    result = smppgw("import-kannel", tmp_path / "kannel.conf", "-o", tmp_path / "gateway.toml")
    assert (result.exit_code, result.stdout) == (0, "")
    assert config.load(tmp_path / "gateway.toml").connectors.keys() == {"one"}
    assert stat.S_IMODE((tmp_path / "gateway.toml").stat().st_mode) == 0o600


def test_the_command_takes_the_files_of_several_boxes(tmp_path: Path) -> None:
    (tmp_path / "kannel.conf").write_text(CORE + ONE)
    (tmp_path / "logins").write_bytes(LOGINS)
    box = BOX.replace("= logins", f"= {tmp_path / 'logins'}")
    (tmp_path / "opensmppbox.conf").write_text("group = core\ndlr-storage = mysql\n" + box)
    result = smppgw("import-kannel", tmp_path / "kannel.conf", tmp_path / "opensmppbox.conf")
    assert list(config.parse(tomllib.loads(result.stdout)).accounts) == ["alice", "bob", "carol"]


def test_the_command_names_all_mistakes(tmp_path: Path) -> None:
    (tmp_path / "kannel.conf").write_text("group = core\nfoo = 1\nbar = 2\n")
    result = smppgw("import-kannel", tmp_path / "kannel.conf")
    assert result.exit_code == 2
    assert "2 problems" in result.stderr
    assert smppgw("import-kannel", tmp_path / "nowhere.conf").exit_code == 2


def test_the_command_says_where_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "kannel.conf").write_text(ONE)
    result = smppgw("import-kannel", tmp_path / "kannel.conf", "-o", tmp_path / "no" / "where.toml")
    assert result.exit_code == 2
    assert "cannot be written: No such file" in result.stderr
