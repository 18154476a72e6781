"""The messages that a simulated SMSC holds, and what it says about them."""

import time
from collections.abc import Callable

from protocol import tlv
from protocol.consts import EsmClass, MessageState, RegisteredDelivery, Tag
from protocol.pdus import SubmitSm
from smppgw.simulate.options import STATES, IdForm

_SAYS = {
    state: (
        b"001" if state == MessageState.DELIVERED else b"000",
        name.encode(),
        b"000" if state in {MessageState.DELIVERED, MessageState.ENROUTE} else b"001",
        int(EsmClass.INTERMEDIATE if state == MessageState.ENROUTE else EsmClass.RECEIPT),
        tlv.encode([(Tag.MESSAGE_STATE, bytes([state]))]),
    )
    for name, state in STATES.items()
}
"""dlvrd, stat, err, esm_class and message_state of a receipt."""
_UDHI = int(EsmClass.UDHI)
_FINAL = int(RegisteredDelivery.FINAL)
_READABLE = frozenset({0, 1, 3})
"""Codings whose octets may stand in a receipt's text."""


class Held:
    """One message. Its outcome is decided when it comes; until `done` it is on its way."""

    __slots__ = ("came", "deleted", "done", "number", "outcome", "owner", "pdu", "told")

    def __init__(self, number: int, pdu: SubmitSm, owner: str, came: bytes, done: float, outcome: MessageState) -> None:
        self.number = number
        self.pdu = pdu
        self.owner = owner
        self.came = came
        """As the receipt writes it."""
        self.done = done
        self.outcome = outcome
        self.deleted = False
        self.told = False
        """Its final receipt was made."""

    def state(self, now: float) -> MessageState:
        if self.deleted:
            return MessageState.DELETED
        return self.outcome if now >= self.done else MessageState.ENROUTE

    def wants_receipt(self) -> bool:
        """Of the state that it ends in (5.2.17)."""
        wish = self.pdu.registered_delivery & 3
        if wish in (_FINAL, 0):
            return wish != 0
        delivered = self.outcome == MessageState.DELIVERED and not self.deleted
        return delivered == (wish == RegisteredDelivery.SUCCESS_ONLY)


def id_writer(form: IdForm) -> Callable[[int], bytes]:
    if form == "hex":
        return lambda number: b"%X" % number
    if form == "string":
        return lambda number: b"sim-%d" % number
    return lambda number: b"%d" % number


def date(at: float) -> bytes:
    """As in the text of a receipt."""
    return time.strftime("%y%m%d%H%M", time.localtime(at)).encode()


def absolute_time(at: float) -> bytes:
    """As in query_sm_resp (7.1.1)."""
    return time.strftime("%y%m%d%H%M%S000+", time.gmtime(at)).encode()


def receipt(held: Held, number: bytes, state: MessageState, done: bytes, *, tlvs: bool) -> bytes:
    """The body of a deliver_sm that says what became of the message."""
    pdu = held.pdu
    dlvrd, stat, err, esm_class, state_tlv = _SAYS[state]
    text = b"id:%b sub:001 dlvrd:%b submit date:%b done date:%b stat:%b err:%b text:%b" % (
        number,
        dlvrd,
        held.came,
        done,
        stat,
        err,
        _excerpt(pdu),
    )
    return b"%b\0%c%c%b\0%c%c%b\0%c\0\0\0\0\0\0\0\0%c%b%b" % (
        pdu.service_type,
        pdu.dest_addr_ton,
        pdu.dest_addr_npi,
        pdu.destination_addr,
        pdu.source_addr_ton,
        pdu.source_addr_npi,
        pdu.source_addr,
        esm_class,
        len(text),
        text,
        b"\0\x1e\0%c%b\0%b" % (len(number) + 1, number, state_tlv) if tlvs else b"",
    )


def _excerpt(pdu: SubmitSm) -> bytes:
    if pdu.data_coding not in _READABLE or pdu.esm_class & _UDHI:
        return b""
    text = pdu.short_message
    if not text and pdu.tlvs:
        text = tlv.find(pdu.tlvs, Tag.MESSAGE_PAYLOAD) or b""
    return text[:20]
