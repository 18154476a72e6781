"""Kannel's files come to a config that a gateway runs from, or to everything that is wrong with them."""

from pathlib import Path

import pytest

from smppgw.kannel.conf import ConfError
from smppgw.kannel.setup import Setup, read
from tests.smppgw.boxed import CORE, SMSBOX, smsc

LOGINS = "esme secret VMA\n"
OPENSMPPBOX = """
group = opensmppbox
our-system-id = gateway
opensmppbox-port = 2345
smpp-logins = {logins}
"""


def written(directory: Path, text: str) -> Setup:
    conf = directory / "kannel.conf"
    conf.write_text(text.replace("{admin}", "1").replace("{sendsms}", "2"))
    return read([conf], directory / "data")


def test_messages_of_sendsms_go_by_tags_and_those_from_mobiles_to_smsbox(tmp_path: Path) -> None:
    setup = written(tmp_path, CORE + smsc("a", 1) + SMSBOX)
    settings, _, links = setup.made(setup.kannel.smscs)
    assert settings.listeners == ()
    assert settings.store.path == str(tmp_path / "data")
    assert [(route.match.tag, route.to) for route in settings.routes] == [((tag,), "a") for tag in ("*", "a", "?", "")]
    assert [(route.account, route.match.connector) for route in settings.mo_routes] == [("smsbox", ())]
    assert list(settings.accounts) == [setup.smsbox(settings)] == ["smsbox"]
    assert [link.name for link in links["a"]] == ["a"]


def test_a_login_goes_its_own_way_and_keeps_its_name_from_smsbox(tmp_path: Path) -> None:
    (tmp_path / "logins").write_text(LOGINS.replace("esme", "smsbox"))
    box = OPENSMPPBOX.format(logins=tmp_path / "logins") + "route-to-smsc = b\n"
    setup = written(tmp_path, CORE + smsc("a", 1, "denied-smsc-id = b") + smsc("b", 2) + box + SMSBOX)
    settings = setup.made(setup.kannel.smscs).settings
    assert [listener.port for listener in settings.listeners] == [2345]
    assert list(settings.accounts) == ["smsbox", "smsbox-2"]
    assert settings.mo_routes[-1].account == setup.smsbox(settings) == "smsbox-2"
    [theirs] = [route for route in settings.routes if route.match.tag == ("",)]
    assert theirs.to == "b"


def test_an_smsbox_route_leads_to_a_login_or_to_smsbox_the_most_exact_first(tmp_path: Path) -> None:
    (tmp_path / "logins").write_text(LOGINS)
    routes = """
group = smsbox-route
smsbox-id = VMA
smsc-id = a

group = smsbox-route
smsbox-id = box
smsc-id = a
shortcode = 100
"""
    box = OPENSMPPBOX.format(logins=tmp_path / "logins")
    setup = written(tmp_path, CORE + smsc("a", 1) + box + SMSBOX + routes)
    found = setup.made(setup.kannel.smscs).settings.mo_routes
    assert [(each.account, each.match.connector, each.match.destination) for each in found] == [
        ("smsbox", ("a",), ("100",)), ("esme", ("a",), ()), ("smsbox", (), ()),
    ]  # fmt: skip


def test_who_is_dead_is_left_out_and_the_others_keep_their_names(tmp_path: Path) -> None:
    dead = smsc("a", 2, "dead-start = true")
    setup = written(tmp_path, CORE + smsc("a", 1) + dead + SMSBOX)
    assert list(setup.made(setup.kannel.smscs).settings.connectors) == ["a-1"]
    alive = setup.with_smscs(setup.kannel.smscs[:1])
    assert list(alive.made(alive.kannel.smscs).settings.connectors) == ["a"]


def test_all_that_keeps_it_from_starting_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfError) as caught:
        written(
            tmp_path, CORE + "wapbox-port = 1\n" + smsc("a", 1, "port = 1\nreceive-port = 2") + "\ngroup = wtls\n\n"
        )
    wrong = "\n".join(map(str, caught.value.problems))
    assert "wapbox-port is refused" in wrong
    assert "port and receive-port are in one smsc" in wrong


def test_a_keyword_that_is_no_expression_keeps_it_from_starting(tmp_path: Path) -> None:
    with pytest.raises(ConfError, match="no regular expression"):
        written(tmp_path, CORE + smsc("a", 1) + SMSBOX + '\ngroup = sms-service\nkeyword = "+"\ntext = x\n')


def test_an_empty_file_is_no_set_up(tmp_path: Path) -> None:
    with pytest.raises(ConfError, match="there is no group"):
        written(tmp_path, "")


def test_what_means_nothing_is_said_and_what_only_a_gateway_toml_lacks_is_not(tmp_path: Path) -> None:
    setup = written(tmp_path, CORE + "smsbox-port = 3\n" + smsc("a", 1) + SMSBOX)
    said = "\n".join(map(str, setup.made(setup.kannel.smscs).said))
    assert "smsbox-port means nothing here" in said
    assert "admin-port" not in said
    assert "sendsms" not in said
