"""The project's own simulated SMSC in the words of node/smsc.js, for machines without node and for comparison."""

import asyncio
import json
import sys

from protocol import text, tlv, udh
from protocol.consts import Tag
from protocol.pdus import SubmitSm
from smppgw.simulate.options import Options
from smppgw.simulate.smsc import Smsc

FOREVER = 3600.0
told = json.loads(sys.argv[1])


def say(event: str, **fields: object) -> None:
    print(json.dumps({"event": event, **fields}), flush=True)


def describe(pdu: SubmitSm) -> dict[str, object]:
    payload = tlv.find(pdu.tlvs, Tag.MESSAGE_PAYLOAD)
    octets = pdu.short_message or payload or b""
    words = udh.text_of(pdu.esm_class, octets)
    return {
        "source": pdu.source_addr.decode(),
        "destination": pdu.destination_addr.decode(),
        "data_coding": pdu.data_coding,
        "esm_class": pdu.esm_class,
        "registered_delivery": pdu.registered_delivery,
        "text": text.decode(words, pdu.data_coding),
        "udh": octets[1 : len(octets) - len(words)].hex() or None,
        "sar": None,
        "payload": payload is not None,
    }


async def report(smsc: Smsc) -> None:
    submits = binds = acknowledged = mos = 0
    while True:
        stats = smsc.stats()
        while binds < stats["links"]["binds"]:
            binds += 1
            say("bound")
        for pdu in list(smsc.received)[submits:]:
            submits += 1
            say("submit", **describe(pdu))
        while acknowledged < smsc.acknowledged:
            acknowledged += 1
            say("receipt answered", status=0)
        while mos < stats["mo"]["acked"]:
            mos += 1
            say("delivered", status=0)
        seen = smsc.stats()
        await smsc.until(lambda seen=seen: smsc.stats() != seen, FOREVER)  # type: ignore[misc]


async def main() -> None:
    options = Options(port=told["port"], system_id=told["system_id"], password=told["password"], receipt_delay=0.05)
    async with Smsc(options) as smsc:
        say("listening", port=smsc.port)
        reporting = asyncio.create_task(report(smsc))
        orders = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
        while line := await orders.readline():
            mo = json.loads(line)["deliver"]
            smsc.send_mo(mo["source"].encode(), mo["destination"].encode(), mo["text"])
        reporting.cancel()


asyncio.run(main())
