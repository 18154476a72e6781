"""How long one PDU takes to decode, to encode, to cut out of the stream and to look into."""

from collections.abc import Callable
from typing import Any

from benchmarks.timing import microseconds, report
from protocol import tlv
from protocol.consts import Command, Tag
from protocol.errors import PduError
from protocol.pdus import CODECS, BindResp, DataSm, MessageIdResp, SubmitSm
from protocol.wire import Reader, frame

SUBMIT = SubmitSm(
    b"", 5, 0, b"GATEWAY", 1, 1, b"491701234567", 0, 0, 0, b"", b"", 1, 0, 0, 0, b"Your code is 123456. " * 5
)  # fmt: skip
RECEIPT = SubmitSm(
    b"", 1, 1, b"491701234567", 5, 0, b"GATEWAY", 4, 0, 0, b"", b"", 0, 0, 0, 0,
    b"id:0123456789ABCDEF sub:001 dlvrd:001 submit date:2601021504 done date:2601021505 stat:DELIVRD err:000 text:",
    tlv.encode([(Tag.RECEIPTED_MESSAGE_ID, b"0123456789ABCDEF\0"), (Tag.MESSAGE_STATE, b"\2")]),
)  # fmt: skip
DATA = DataSm(
    b"", 1, 1, b"1234", 1, 1, b"491701234567", 0, 1, 0, tlv.encode([(Tag.MESSAGE_PAYLOAD, SUBMIT.short_message)])
)
BODIES = {
    Command.SUBMIT_SM: SUBMIT,
    Command.SUBMIT_SM_RESP: MessageIdResp(b"0123456789ABCDEF"),
    Command.DELIVER_SM: RECEIPT,
    Command.DELIVER_SM_RESP: MessageIdResp(),
    Command.DATA_SM: DATA,
    Command.BIND_TRANSCEIVER_RESP: BindResp(b"GATEWAY", tlv.encode([(Tag.SC_INTERFACE_VERSION, b"\x34")])),
}


def over(function: Callable[[Any], object], value: Any) -> Callable[[int], None]:
    def loop(times: int) -> None:
        for _ in range(times):
            function(value)

    return loop


def refused(body: bytes) -> Callable[[int], None]:
    decode = CODECS[Command.SUBMIT_SM].decode

    def loop(times: int) -> None:
        for _ in range(times):
            try:
                decode(body)
            except PduError:
                continue

    return loop


def cutting(batch: int) -> Callable[[int], None]:
    """Frames out of reads of `batch` submit_sm, as a busy link gets them."""
    data = frame(Command.SUBMIT_SM, 0, 1, CODECS[Command.SUBMIT_SM].encode(SUBMIT)) * batch

    def loop(times: int) -> None:
        reader = Reader(65536)
        for _ in range(times // batch):
            reader.feed(data)

    return loop


def main() -> None:
    figures = {}
    for command, pdu in BODIES.items():
        codec = CODECS[command]
        name = command.name.lower()
        figures[f"decode {name}"] = microseconds(over(codec.decode, codec.encode(pdu)), 200_000)
        figures[f"encode {name}"] = microseconds(over(codec.encode, pdu), 200_000)
    body = CODECS[Command.SUBMIT_SM].encode(SUBMIT)
    figures["refuse a submit_sm cut in its middle"] = microseconds(refused(body[:20]), 100_000)
    figures["cut a submit_sm out of a read of 100"] = microseconds(cutting(100), 500_000)
    figures["tlv.check of a receipt"] = microseconds(over(tlv.check, RECEIPT.tlvs), 200_000)
    figures["tlv.parse of a receipt"] = microseconds(over(tlv.parse, RECEIPT.tlvs), 200_000)
    report("codec", figures)


if __name__ == "__main__":
    main()
