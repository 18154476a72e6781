"""The desk of the demo sends long texts in parts, and keeps receipts and what handsets say."""

from protocol.consts import MessageState
from smppgw.demo.desk import Desk, Said
from smppgw.simulate import smsc as simulated
from smppgw.simulate.options import Options, parse_mo


async def test_a_long_text_leaves_in_parts_by_both_binds_and_every_part_has_its_receipt() -> None:
    async with simulated.Smsc(Options(system_id="desk", password="secret")) as smsc:
        desk = Desk(smsc.port)
        await desk.bind(b"desk", b"secret")
        count = desk.write("+15017122661", "819012345678", "あ" * 200)
        await smsc.until(lambda: desk.delivered("819012345678") == count)
        numbers = [bytes(pdu.short_message[3:6]) for pdu in smsc.received]
        await desk.part()
    assert count == 3
    assert {(number[1], number[2]) for number in numbers} == {(3, 1), (3, 2), (3, 3)}
    assert len(numbers) == 3
    assert len(desk.ids) == 3
    assert (desk.repeated, desk.refused, desk.delivered("81")) == (0, [], 0)


async def test_what_is_refused_or_not_delivered_does_not_count_as_delivered() -> None:
    async with simulated.Smsc(Options(states={"UNDELIV": 1.0})) as smsc:
        desk = Desk(smsc.port)
        await desk.bind(b"desk", b"secret")
        desk.write("Acme", "819012345678", "a")
        await smsc.until(lambda: list(desk.ends.values()) == [MessageState.UNDELIVERABLE])
        await desk.part()
        assert desk.delivered("819012345678") == 0
    async with simulated.Smsc(Options(errors={0x0B: 1.0})) as smsc:
        desk = Desk(smsc.port)
        await desk.bind(b"desk", b"secret")
        desk.write("12345", "819012345678", "a")
        await smsc.until(lambda: desk.refused == [0x0B])
        await desk.part()


async def test_what_a_handset_says_is_kept() -> None:
    async with simulated.Smsc(Options(mo=(parse_mo("819012345678>12345:hello"),), mo_every=0.05)) as smsc:
        desk = Desk(smsc.port)
        await desk.bind(b"desk", b"secret")
        await smsc.until(lambda: bool(desk.heard))
        await desk.part()
    assert desk.heard[0] == Said("819012345678", "12345", "hello")
