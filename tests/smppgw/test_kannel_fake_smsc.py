"""An smsc = fake speaks fakesmsc's lines; what is expected was read from Kannel's own fakesmsc and bearerbox."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from protocol.consts import DataCoding, EsmClass, Ton
from protocol.pdus import SubmitSm
from smppgw.carriers.contract import Text
from smppgw.kannel.conf import ConfError
from smppgw.kannel.fake_smsc import incoming, line_of
from smppgw.kannel.model import Smsc
from smppgw.kannel.setup import read
from smppgw.ports import free_port
from tests.smppgw.boxed import SMSBOX, boxed
from tests.smppgw.jumping import advance, jumping, until

FAKE = Smsc(smsc="fake", smsc_id="F", port=1)
GROUP = "\ngroup = smsc\nsmsc = fake\nsmsc-id = F\nport = {port}\n"
SERVICE = "\ngroup = sms-service\nkeyword = default\ntext = thanks\n"


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"text": "during it"}, b"+100 +44123 text during it\n"),
        ({"text": "caf\xe9"}, b"+100 +44123 data caf%C3%A9\n"),
        ({"binary": b"ab\0", "header": b"\x02\x7f\0"}, b"+100 +44123 udh %02%7F%00 ab%00\n"),
    ],
)
def test_a_message_goes_out_as_the_line_that_holds_it(more: dict[str, Any], line: bytes) -> None:
    assert line_of(Text("ff", "+100", "+44123", **more), FAKE) == line


def test_a_line_is_a_message_from_a_mobile() -> None:
    assert incoming(b"+123 234 text nop hello\n") == SubmitSm(
        b"", Ton.INTERNATIONAL, 1, b"123", Ton.UNKNOWN, 1, b"234", short_message=b"nop hello"
    )
    header = incoming(b"1 2 udh %05%00%03%01%02%01 abc%20d\n")
    assert header is not None
    assert header.esm_class == EsmClass.UDHI
    assert (header.data_coding, header.short_message) == (DataCoding.OCTETS, b"\5\0\3\1\2\1abc d")
    data = incoming(b"1 2 data caf%C3%A9+x\n")
    assert data is not None
    assert data.short_message == b"caf\x05 x"
    routed = incoming(b"1 2 route box to a box\n")
    assert routed is not None
    assert routed.short_message == b"to a box"


@pytest.mark.parametrize(
    "line", [b"\n", b"1 2 text\n", b"1 2 nonsense x\n", b"1 2 udh %00\n", b" 2 text x\n", b"1 2 text \xff\n"]
)
def test_what_is_no_message_is_none(line: bytes) -> None:
    assert incoming(line) is None


@jumping
async def test_whoever_plays_the_smsc_gets_what_waits_and_is_answered(tmp_path: Path) -> None:
    port = free_port()
    async with boxed(tmp_path, GROUP.format(port=port), smsbox=SMSBOX + SERVICE) as box:
        assert await box.send("441", "before") == (202, "3: Queued for later delivery")
        assert "(connecting, " in await box.command("/status")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        lines: list[bytes] = []

        async def play() -> None:
            while line := await reader.readline():
                lines.append(line)

        playing = asyncio.ensure_future(play())
        await until(lambda: box.app.connectors["F"].carrier.is_played)  # type: ignore[union-attr]  # it is such a one
        await advance(2)
        await until(lambda: lines == [b"100 441 text before\n"])
        assert (await box.send("442", "now"))[1] == "0: Accepted for delivery"
        writer.write(b"447911 100 text hello\n")
        await until(lambda: len(lines) == 3)
        assert lines[1:] == [b"100 442 text now\n", b"100 447911 text thanks\n"]
        assert "FAKE:" in await box.command("/status")
        await box.command("/stop-smsc", smsc="F")
        await until(playing.done)
        writer.close()


def test_one_without_a_port_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "k").write_text("group = core\nadmin-port = 1\n\ngroup = smsc\nsmsc = fake\n")
    with pytest.raises(ConfError, match="port is missing"):
        read([tmp_path / "k"], tmp_path)
