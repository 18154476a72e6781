"""smpplib as an ESME; see scenario.py for what it is told (argv) and what it says (stdout)."""

import json
import re
import sys
from typing import Any

import smpplib.client
import smpplib.consts
import smpplib.gsm
import smpplib.smpp

told = json.loads(sys.argv[1])
answers: list[Any] = []
deliveries = 0


def say(event: str, **fields: object) -> None:
    print(json.dumps({"event": event, **fields}), flush=True)


def delivered(pdu: Any) -> int:
    global deliveries  # noqa: PLW0603
    deliveries += 1
    ends = {"source": pdu.source_addr.decode(), "destination": pdu.destination_addr.decode()}
    text = pdu.short_message.decode("latin-1")
    if pdu.esm_class & 0x3C:
        found = dict(re.findall(r"\b(id|stat):(\w+)", text))
        tlv_id = getattr(pdu, "receipted_message_id", None)
        say(
            "receipt",
            id=found.get("id"),
            stat=found.get("stat"),
            text=text,
            tlv_id=tlv_id.decode() if tlv_id else None,
            tlv_state=getattr(pdu, "message_state", None),
            **ends,
        )
    else:
        say("mo", text=text, **ends)
    return 0


def answered(pdu: Any) -> None:
    answers.append(pdu)


client = smpplib.client.Client(told["host"], told["port"], timeout=20, allow_unknown_opt_params=True)
client.set_message_received_handler(delivered)
client.set_message_sent_handler(answered)
client.set_error_pdu_handler(answered)
client.connect()
bound = client._bind(f"bind_{told['mode']}", system_id=told["system_id"], password=told["password"])
say("bound", mode=told["mode"], status=bound.status, smsc=bound.system_id.decode())


def submit(name: str, *bodies: dict[str, object]) -> int:
    answers.clear()
    sent = [
        client.send_message(
            source_addr_ton=1,
            source_addr_npi=1,
            source_addr=told["source"],
            dest_addr_ton=1,
            dest_addr_npi=1,
            destination_addr=told["destination"],
            registered_delivery=True,
            **body,
        ).sequence
        for body in bodies
    ]
    while len(answers) < len(sent):
        client.read_once(auto_send_enquire_link=False)
    by_sequence = {answer.sequence: answer for answer in answers}
    ids = [(by_sequence[number].message_id or b"").decode() for number in sent]
    say("submitted", name=name, ids=ids, statuses=[by_sequence[number].status for number in sent])
    return len(sent)


ids = 0
if told["mode"] != "receiver":
    whole, coding, _ = smpplib.gsm.make_parts(told["short"]["text"])
    ids += submit("short", {"short_message": whole[0], "data_coding": coding})
    pieces, coding, esm_class = smpplib.gsm.make_parts(told["long"]["text"])
    ids += submit("long", *({"short_message": p, "data_coding": coding, "esm_class": esm_class} for p in pieces))
    octets = bytes.fromhex(told["long"]["octets"])
    ids += submit("payload", {"short_message": b"", "message_payload": octets, "data_coding": coding})
    whole, coding, _ = smpplib.gsm.make_parts(told["ucs2"]["text"], smpplib.consts.SMPP_ENCODING_ISO10646)
    ids += submit("ucs2", {"short_message": whole[0], "data_coding": coding})

asked = smpplib.smpp.make_pdu("enquire_link", client=client)
client.send_pdu(asked)
while True:
    pdu = client.read_pdu()
    if pdu.command == "enquire_link_resp":
        say("enquired", status=pdu.status)
        break
    if pdu.command == "deliver_sm":
        client._message_received(pdu)

wanted = 0 if told["mode"] == "transmitter" else told["deliveries"] or ids + 1
while deliveries < wanted:
    client.read_once(auto_send_enquire_link=False)
gone = client.unbind()
say("unbound", status=gone.status)
client.disconnect()
