"""The pipeline tells its diary what happens to each message, in the order in which it happens."""

import asyncio
from pathlib import Path
from typing import Any

from protocol.consts import Command, MessageState
from protocol.pdus import SubmitSm, encode_submit
from routing.message import Delivery
from smppgw.history.diary import Diary
from smppgw.history.events import NAMES, Kind
from smppgw.history.recorder import Recorder
from smppgw.settings import HistoryConfig
from tests.smppgw.jumping import advance, epoch, jumping, until
from tests.smppgw.operated import Operated, operated
from tests.smppgw.test_http_admin import doubted


class Listening(Recorder):
    """One that keeps what it hears."""

    def __init__(self, bodies: Any = "off") -> None:
        super().__init__(HistoryConfig(bodies=bodies), asyncio.get_running_loop())
        self.heard: list[tuple[int, str, tuple[Any, ...]]] = []

    def note(self, at: float, id: int, kind: int, said: tuple[Any, ...]) -> None:
        assert at > 0
        self.heard.append((id, NAMES[Kind(kind)], said))

    def kinds(self) -> list[str]:
        return [kind for _, kind, _ in self.heard]


def listen(gateway: Operated, bodies: Any = "off") -> Listening:
    recorder = Listening(bodies)
    gateway.app.pipeline.returns.diary = Diary(recorder, epoch)
    return recorder


@jumping
async def test_the_way_of_a_message_from_its_submit_to_its_receipt(tmp_path: Path) -> None:
    async with operated(tmp_path) as gateway:
        recorder = listen(gateway, "keep")
        peer = await gateway.esme()
        id = int(await gateway.submit(peer), 16)
        await until(lambda: gateway.smsc.asked)
        gateway.smsc.accept(b"up1")
        await until(lambda: len(gateway.app.pipeline.ledger) == 1)
        words = b"id:up1 sub:001 dlvrd:001 submit date:2611231728 done date:2611231728 stat:DELIVRD err:000 text:hi"
        gateway.smsc.deliver(SubmitSm(source_addr=b"44", destination_addr=b"12345", esm_class=4, short_message=words))
        await until(peer.delivered)
        peer.send(Command.DELIVER_SM_RESP, b"\0", 0, peer.delivered()[0][0])
        await until(lambda: "delivered" in recorder.kinds())
        assert recorder.kinds() == ["accepted", "sent", "receipt", "delivered"]
        assert {each for each, _, _ in recorder.heard} == {id}
        said = [each for _, _, each in recorder.heard]
        assert said[0] == ("esme", b"12345", b"44", 0, 5, b"hello", "all", "")
        assert said[1] == (b"c", (b"up1",), 1)
        assert said[2] == (b"c", int(MessageState.DELIVERED), b"000", b"up1")
        assert said[3] == ("esme", int(MessageState.DELIVERED), 0)
        await peer.__aexit__(None, None, None)


@jumping
async def test_a_message_in_doubt_and_what_a_person_decided(tmp_path: Path) -> None:
    async with operated(tmp_path, connectors='in_doubt = "hold"') as gateway:
        recorder = listen(gateway)
        id = await doubted(gateway)
        await gateway.do(f"/set-aside/{id}/drop", {"state": "UNDELIVERABLE"})
        assert recorder.kinds() == ["accepted", "doubt", "aside", "ended", "decided"]
        assert recorder.heard[-1][2] == ("boss", "dropped as UNDELIVERABLE")
        await advance(1)


@jumping
async def test_a_message_from_a_handset(tmp_path: Path) -> None:
    async with operated(tmp_path) as gateway:
        recorder = listen(gateway, "hash")
        gateway.smsc.deliver(SubmitSm(source_addr=b"8190", destination_addr=b"12345", short_message=b"hi"))
        await until(recorder.kinds)
        ((_, kind, said),) = recorder.heard
        assert (kind, said[:5], said[6]) == ("mo", ("esme", b"8190", b"12345", 0, 2), "c")
        assert len(said[5]) == 32


@jumping
async def test_people_know_an_account_by_its_own_name_whoever_waits_for_it() -> None:
    recorder = Listening()
    diary = Diary(recorder, epoch)
    body = encode_submit(SubmitSm(source_addr=b"8190", destination_addr=b"12345", short_message=b"hi"))
    delivery = Delivery(7, "shop@api", body, epoch())
    diary.mo(delivery, "up", body)
    diary.told(delivery, "http 200")
    diary.postponed(delivery)
    diary.delivered(delivery)
    diary.aside(7, "shop@api", "refused")
    assert [said[0] for _, _, said in recorder.heard] == ["shop"] * 5
