"""ESMEs of other makers submit, receive and leave as they do with any SMSC."""

import pytest

from tests.interop.scenario import DESTINATION, ESMES, LONG, MO, SHORT, SOURCE, UCS2, Esme, Start
from tests.kit import Event, Gateway, Process

pytestmark = pytest.mark.interop
each_esme = pytest.mark.parametrize("esme", ESMES, ids=lambda esme: esme.name)


def submitted_ids(peer: Process, esme: Esme) -> list[str]:
    """The ids of every message that the peer sends, each taken."""
    answers = [peer.expect("submitted", name=name) for name in sorted(esme.messages)]
    assert not [answer for answer in answers if any(answer["statuses"])]
    return [id for answer in answers for id in answer["ids"]]


def deliver(smsc: Process) -> None:
    smsc.tell({"deliver": {"source": DESTINATION, "destination": SOURCE, "text": MO}})


def assert_receipts(receipts: list[Event], ids: list[str]) -> None:
    assert sorted(receipt["id"] for receipt in receipts) == sorted(ids)
    for receipt in receipts:
        assert receipt["stat"] == "DELIVRD"
        assert (receipt["source"], receipt["destination"]) == (DESTINATION, SOURCE)
        assert receipt["tlv_id"] == receipt["id"]
        assert receipt["tlv_state"] == 2


def assert_relayed(submits: list[Event], esme: Esme) -> None:
    """What the SMSC took is what the ESME sent."""
    assert all(submit["source"] == SOURCE and submit["destination"] == DESTINATION for submit in submits)
    assert all(submit["registered_delivery"] == 1 for submit in submits)
    whole = [submit["text"] for submit in submits if not submit["udh"] and not submit["sar"]]
    assert sorted(whole) == sorted(
        text for name, text in (("short", SHORT), ("payload", LONG), ("ucs2", UCS2)) if name in esme.messages
    )
    if "long" in esme.messages:
        parts = [submit for submit in submits if submit["udh"]]
        numbers = [bytes.fromhex(part["udh"])[-2:] for part in parts]
        assert [tuple(number) for number in numbers] == [(3, 1), (3, 2), (3, 3)]
        assert "".join(part["text"] for part in parts) == LONG


@each_esme
def test_an_esme_submits_and_hears_of_each_message(esme: Esme, start: Start, smsc: Process, gateway: Gateway) -> None:
    peer = start(esme, gateway.port, "transceiver")
    assert peer.expect("bound")["status"] == 0
    ids = submitted_ids(peer, esme)
    deliver(smsc)
    assert peer.expect("unbound")["status"] == 0
    assert peer.ended() == 0
    assert peer.events("enquired")[0]["status"] == 0
    assert len(set(ids)) == len(ids)
    assert_receipts(peer.events("receipt"), ids)
    [mo] = peer.events("mo")
    assert (mo["source"], mo["destination"], mo["text"]) == (DESTINATION, SOURCE, MO)
    assert_relayed(smsc.events("submit"), esme)
    assert all(answer["status"] == 0 for answer in smsc.events("receipt answered"))


@each_esme
def test_a_transmitters_receipts_come_to_its_receiver(
    esme: Esme, start: Start, smsc: Process, gateway: Gateway
) -> None:
    sender = start(esme, gateway.port, "transmitter")
    ids = submitted_ids(sender, esme)
    assert sender.ended() == 0
    # Nobody of the account was bound to receive: what came back meanwhile has waited.
    receiver = start(esme, gateway.port, "receiver", deliveries=len(ids) + 1)
    receiver.expect("bound", status=0)
    deliver(smsc)
    assert receiver.ended() == 0
    assert_receipts(receiver.events("receipt"), ids)
    assert len(receiver.events("mo")) == 1
