"""aiosmpplib as an ESME; see scenario.py for what it is told (argv) and what it says (stdout)."""

import asyncio
import json
import sys
from typing import Any

from aiosmpplib import ESME, AbstractHook, BindMode, DeliverSm, PhoneNumber, SubmitSm
from aiosmpplib.broker import SimpleBroker
from aiosmpplib.state import NPI, TON, SmppCommand

told = json.loads(sys.argv[1])
MODES = {
    "transceiver": BindMode.TRANSCEIVER,
    "transmitter": BindMode.TRANSMITTER,
    "receiver": BindMode.RECEIVER,
}


def say(event: str, **fields: object) -> None:
    print(json.dumps({"event": event, **fields}), flush=True)


class Report(AbstractHook):  # type: ignore[misc] # the library has no py.typed
    """Says what happens. Waits are for the numbers of answers and deliveries, counted here."""

    def __init__(self) -> None:
        self.bound = asyncio.Event()
        self.enquired = asyncio.Event()
        self.unbound = asyncio.Event()
        self.answers: asyncio.Queue[Any] = asyncio.Queue()
        self.deliveries: asyncio.Queue[Any] = asyncio.Queue()
        self.sent = 0

    async def sending(self, smpp_message: Any, pdu: bytes, client_id: str) -> None:
        self.sent += smpp_message.smpp_command is SmppCommand.SUBMIT_SM

    async def received(self, smpp_message: Any, pdu: bytes, client_id: str) -> None:
        command, status = (int.from_bytes(pdu[at : at + 4], "big") for at in (4, 8))
        if command == SmppCommand.SUBMIT_SM_RESP:  # the message is None for all but the last part
            self.answers.put_nowait((pdu[16:].partition(b"\0")[0].decode(), status))
        elif command & 0x80000000 and command & 0xFF in (1, 2, 9):
            say("bound", mode=told["mode"], status=status, smsc=smpp_message and smpp_message.system_id)
            self.bound.set()
        elif command == SmppCommand.ENQUIRE_LINK_RESP:
            say("enquired", status=status)
            self.enquired.set()
        elif command == SmppCommand.UNBIND_RESP:
            say("unbound", status=status)
            self.unbound.set()
        elif command == SmppCommand.DELIVER_SM:
            self.delivered(DeliverSm.from_pdu(pdu, DeliverSm.parse_header(pdu)))

    def delivered(self, pdu: DeliverSm) -> None:
        ends = {"source": pdu.source.number, "destination": pdu.destination.number}
        if pdu.is_receipt():
            receipt = pdu.parse_receipt()
            params = {param.tag: param.value for param in pdu.optional_params or []}
            say(
                "receipt",
                id=receipt["id"],
                stat=receipt["stat"],
                text=pdu.short_message,
                tlv_id=params.get(0x001E),
                tlv_state=params.get(0x0427),
                **ends,
            )
        else:
            say("mo", text=pdu.short_message, **ends)
        self.deliveries.put_nowait(pdu)

    async def send_error(self, smpp_message: Any, error: Exception, client_id: str) -> None:
        say("error", reason=repr(error))


async def main() -> None:
    report, broker = Report(), SimpleBroker()
    esme = ESME(
        told["host"],
        told["port"],
        told["system_id"],
        told["password"],
        bind_mode=MODES[told["mode"]],
        hook=report,
        broker=broker,
        enquire_link_interval=0.5,
    )

    async def submit(name: str, text: str, parts: int = 1, **fields: Any) -> int:
        message = SubmitSm(
            short_message=text,
            source=PhoneNumber(told["source"], TON.INTERNATIONAL, NPI.ISDN),
            destination=PhoneNumber(told["destination"], TON.INTERNATIONAL, NPI.ISDN),
            log_id=name,
            **fields,
        )
        await broker.enqueue(message)
        answers = [await report.answers.get() for _ in range(parts)]
        say("submitted", name=name, ids=[id for id, _ in answers], statuses=[status for _, status in answers])
        return parts

    running = asyncio.create_task(esme.start())
    await report.bound.wait()
    ids = 0
    if told["mode"] != "receiver":
        ids += await submit("short", told["short"]["text"])
        # The library splits by UDH where esm_class asks for it, and adds the SAR parameters as well.
        ids += await submit("long", told["long"]["text"], 3, esm_class=0x40, auto_message_payload=False)
        ids += await submit("payload", told["long"]["text"])
        ids += await submit("ucs2", told["ucs2"]["text"], encoding="ucs2")
    await report.enquired.wait()
    for _ in range(0 if told["mode"] == "transmitter" else told["deliveries"] or ids + 1):
        await report.deliveries.get()
    stopping = asyncio.create_task(esme.stop())
    await asyncio.wait_for(report.unbound.wait(), 10)
    await asyncio.wait([stopping, running], timeout=5)
    running.cancel()


asyncio.run(main())
