"""node smpp as the SMSC behind a connector: its ids, its unbind, its absence."""

import json
from pathlib import Path

import pytest

from smppgw.ports import free_port
from tests.interop.scenario import ESMES, Start
from tests.interop.stacks import HERE, need
from tests.interop.test_esmes import assert_receipts, deliver, submitted_ids
from tests.kit import Gateway, Process, relay_config

pytestmark = pytest.mark.interop
SMPPLIB = next(esme for esme in ESMES if esme.name == "smpplib")


def node_smsc(port: int, **options: object) -> Process:
    told = {"port": port, "system_id": "gateway", "password": "secret", **options}
    return Process(["node", HERE / "node" / "smsc.js", json.dumps(told)], name="node SMSC")


@pytest.fixture
def port() -> int:
    need("node-smpp")
    return free_port()


def test_hexadecimal_ids_are_matched_with_decimal_receipts(port: int, tmp_path: Path, start: Start) -> None:
    with node_smsc(port, id_form="hex") as smsc, Gateway(tmp_path, relay_config(port)) as gateway:
        smsc.expect("bound")
        peer = start(SMPPLIB, gateway.port, "transceiver")
        ids = submitted_ids(peer, SMPPLIB)
        deliver(smsc)
        assert peer.ended() == 0
        assert_receipts(peer.events("receipt"), ids)


def test_a_receipt_that_is_late_by_a_second_is_still_brought(port: int, tmp_path: Path, start: Start) -> None:
    with node_smsc(port, receipt_delay=1000) as smsc, Gateway(tmp_path, relay_config(port)) as gateway:
        smsc.expect("bound")
        peer = start(SMPPLIB, gateway.port, "transmitter")
        ids = submitted_ids(peer, SMPPLIB)
        assert peer.ended() == 0
        smsc.expect("receipt answered", len(ids), status=0)
        deliver(smsc)
        receiver = start(SMPPLIB, gateway.port, "receiver", deliveries=len(ids) + 1)
        assert receiver.ended() == 0
        assert_receipts(receiver.events("receipt"), ids)


def test_the_gateway_binds_again_after_the_smsc_unbinds_it(port: int, tmp_path: Path, start: Start) -> None:
    with node_smsc(port) as smsc, Gateway(tmp_path, relay_config(port)) as gateway:
        smsc.expect("bound")
        smsc.tell({"unbind": True})
        assert smsc.expect("unbind answered")["status"] == 0
        smsc.expect("bound", 2)
        peer = start(SMPPLIB, gateway.port, "transceiver")
        ids = submitted_ids(peer, SMPPLIB)
        deliver(smsc)
        assert peer.ended() == 0
        assert_receipts(peer.events("receipt"), ids)


def test_what_was_taken_while_the_smsc_was_away_goes_out_when_it_is_back(
    port: int, tmp_path: Path, start: Start
) -> None:
    with Gateway(tmp_path, relay_config(port)) as gateway:
        peer = start(SMPPLIB, gateway.port, "transceiver")
        ids = submitted_ids(peer, SMPPLIB)
        with node_smsc(port) as smsc:
            smsc.expect("submit", len(ids))
            deliver(smsc)
            assert peer.ended() == 0
            assert_receipts(peer.events("receipt"), ids)


def test_the_gateway_unbinds_before_it_leaves(port: int, tmp_path: Path) -> None:
    with node_smsc(port) as smsc, Gateway(tmp_path, relay_config(port)) as gateway:
        smsc.expect("bound")
        assert gateway.stop() == 0
        smsc.expect("unbind")


def test_two_binds_share_the_load(port: int, tmp_path: Path, start: Start) -> None:
    config = relay_config(port)
    config["connectors"]["up"]["binds"] = 2
    with node_smsc(port) as smsc, Gateway(tmp_path, config) as gateway:
        smsc.expect("bound", 2)
        peer = start(SMPPLIB, gateway.port, "transceiver")
        ids = submitted_ids(peer, SMPPLIB)
        deliver(smsc)
        assert peer.ended() == 0
        assert_receipts(peer.events("receipt"), ids)
