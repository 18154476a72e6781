"""An smsc of type smpp becomes a connector that does what it did."""

from typing import Any

import pytest

from smppgw import config
from smppgw.kannel.connectors import Link, links, table
from smppgw.kannel.model import Core, SmppTlv, Smsc


def smsc(**more: Any) -> Smsc:
    base = {"smsc_id": "a", "host": "h", "port": 1, "smsc_username": "u", "smsc_password": "p", "system_type": ""}
    return Smsc(**{"smsc": "smpp", "transceiver_mode": True, **base, **more})


def made(*tlvs: SmppTlv, core: Core | None = None, **more: Any) -> dict[str, Any]:
    [[link]] = links([smsc(**more)])[0].values()
    return table(link, core or Core(), tlvs)


def named(*smscs: Smsc) -> dict[str, list[tuple[str, int]]]:
    return {id: [(link.name, link.binds) for link in each] for id, each in links(smscs)[0].items()}


def test_what_kannel_does_by_default_is_said() -> None:
    assert made() == {
        "host": "h",
        "port": 1,
        "system_id": "u",
        "password": "p",
        "bind": "transceiver",
        "window": 10,
        "response": "60s",
        "rebind": ["10s"],
        "retry": ["60s"],
        "id_form": "string",
        "receipt_id_form": "string",
        "long_messages": "udh8",
        "more_messages": True,
        "transliterate": True,
        "addresses": {"strip_plus": True},
    }


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"system_type": "VMA", "address_range": "^1"}, {"system_type": "VMA", "address_range": "^1"}),
        ({"throughput": 2.5, "instances": 2}, {"rate": 5.0, "burst": 1, "binds": 2}),
        ({"max_pending_submits": 50}, {"window": 50}),
        ({"enquire_link_interval": 20, "wait_ack": 5}, {"enquire_link": "20s", "response": "5s"}),
        ({"wait_ack_expire": 2}, {"in_doubt": "hold"}),
        ({"reconnect_delay": 3}, {"rebind": ["3s"]}),
        ({"msg_id_type": 0}, {"id_form": "decimal", "receipt_id_form": "decimal"}),
        ({"msg_id_type": 1}, {"id_form": "hex", "receipt_id_form": "decimal"}),
        ({"msg_id_type": 2}, {"id_form": "decimal", "receipt_id_form": "hex"}),
        ({"msg_id_type": 3}, {"id_form": "hex", "receipt_id_form": "hex"}),
        ({"interface_version": 33}, {"interface_version": "3.3"}),
        ({"alt_charset": "ISO-8859-1"}, {"encoding": "latin1"}),
        ({"max_sms_octets": 254}, {"long_messages": "as_is"}),
        ({"transceiver_mode": False}, {"bind": "transmitter"}),
        ({"transceiver_mode": False, "port": None, "receive_port": 7}, {"bind": "receiver", "port": 7}),
        ({"port": None}, {"port": 2775}),
        ({"use_ssl": True, "ssl_client_certkey_file": "f"}, {"tls": True, "tls_certificate": "f", "tls_key": "f"}),
        ({"smsc_username": None, "system_id": "old"}, {"system_id": "old"}),
        ({"smsc_username": "é"}, {"system_id": "Ã©"}),  # its octets, as fields of SMPP are written
        ({"smsc_password": "é"}, {"password": "é"}),
    ],
)
def test_a_key_keeps_its_meaning(given: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert wanted.items() <= made(**given).items()


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"source_addr_ton": 5, "source_addr_npi": 0}, {"source_ton": 5, "source_npi": 0}),
        ({"dest_addr_ton": 1, "dest_addr_npi": 1}, {"destination_ton": 1, "destination_npi": 1}),
        ({"source_addr_ton": 5}, {}),  # Kannel takes it only with its NPI
        ({"unified_prefix": (("+358", "00358", "0"),)}, {"national_prefix": "0", "country_code": "358"}),
        ({"unified_prefix": (("+", "00"),)}, {"national_prefix": "00", "country_code": ""}),
        ({"unified_prefix": (("358", "+358"),)}, {}),
    ],
)
def test_addresses_are_written_as_kannel_writes_them(given: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert made(**given)["addresses"] == {"strip_plus": True, **wanted}


def test_what_core_says_holds_for_each() -> None:
    core = Core(sms_resend_freq=30, ssl_trusted_ca_file="ca", ssl_client_certkey_file="c", unified_prefix=(("1", "0"),))
    found = made(core=core, use_ssl=True)
    assert found["retry"] == ["30s"]
    assert (found["tls_ca"], found["tls_certificate"]) == ("ca", "c")
    assert found["addresses"]["country_code"] == "1"


def test_a_constant_tlv_is_that_of_the_wire() -> None:
    """As bearerbox 1.4.5 sent them: only where the smsc-id is named."""
    tlvs = (
        SmppTlv(name="i", tag=0x1400, type="integer", length=2, const="258", smsc_id=("a",)),
        SmppTlv(name="o", tag=0x1401, type="octetstring", length=4, const="0a0b", smsc_id=("x", "a")),
        SmppTlv(name="n", tag=0x1403, type="nulterminated", length=10, const="abc", smsc_id=("a",)),
        SmppTlv(name="other", tag=0x1404, type="integer", length=1, const="1", smsc_id=("b",)),
        SmppTlv(name="all", tag=0x1405, type="integer", length=1, const="1"),
        SmppTlv(name="by meta-data", tag=0x1406, type="integer", length=1, smsc_id=("a",)),
    )
    assert made(*tlvs)["tlvs"] == {"0x1400": "hex:0102", "0x1401": "hex:30613062", "0x1403": "hex:61626300"}


def test_a_made_table_is_a_good_one() -> None:
    found = made(throughput=1, msg_id_type=1, wait_ack_expire=2, interface_version=50, alt_charset="ascii")
    parsed = config.parse(
        {
            "accounts": {"x": {"password": "y"}},
            "connectors": {"a": found},
            "routes": [{"name": "all", "to": "a"}],
        }
    )
    assert parsed.smpp["a"].in_doubt == "hold"


def test_equal_groups_of_one_id_are_binds_of_one_connector() -> None:
    assert named(smsc(), smsc(smsc_admin_id="x", instances=2)) == {"a": [("a", 3)]}


def test_different_groups_of_one_id_are_a_connector_each() -> None:
    assert named(smsc(), smsc(port=2), smsc()) == {"a": [("a-1", 2), ("a-2", 1)]}


def test_a_link_for_each_way_says_which() -> None:
    send, receive = smsc(transceiver_mode=False), smsc(transceiver_mode=False, port=None, receive_port=1)
    assert named(receive, send) == {"a": [("a-rx", 1), ("a-tx", 1)]}


def test_a_name_is_given_once() -> None:
    found = named(smsc(), smsc(port=2), smsc(smsc_id="a-1"))
    assert found == {"a": [("a-1-2", 1), ("a-2", 1)], "a-1": [("a-1", 1)]}


def test_what_is_no_smpp_is_no_connector_and_what_starts_dead_is_told() -> None:
    found, lost = links([smsc(smsc="http"), smsc(dead_start=True)])
    assert found == {}
    assert [problem.wrong for problem in lost] == ["smsc a is left out: it is a dead-start"]


def test_a_receiver_does_not_send() -> None:
    assert not Link("a", smsc(transceiver_mode=False, port=None, receive_port=1), 1).sends
    assert Link("a", smsc(), 1).sends
