"""What a submit_sm says becomes a message, and what its receipt needs is kept of it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import pdus, times
from protocol.consts import DataCoding, EsmClass, Status
from protocol.errors import PduError
from protocol.pdus import SubmitSm
from routing.intake import expiry, message_of, number_of, part_of, waiting_of
from routing.message import Message

NOW = 1_700_000_000.0
DAY = 86_400.0


def submit(**fields: Any) -> SubmitSm:
    plain = SubmitSm(source_addr=b"10", destination_addr=b"447700900001", short_message=b"Hello")
    return plain._replace(**fields)


def taken(pdu: SubmitSm, public: int = 0) -> Message:
    return message_of(pdu, pdus.encode_submit(pdu), "esme", 7, NOW, DAY, public)


def udh_part(reference: int, total: int, number: int, source: bytes = b"10") -> SubmitSm:
    octets = bytes((5, 0, 3, reference, total, number)) + b"text"
    return submit(esm_class=EsmClass.UDHI, short_message=octets)._replace(source_addr=source)


def test_a_message_has_the_fields_and_the_octets_of_its_pdu() -> None:
    pdu = submit(service_type=b"CMT", data_coding=8, registered_delivery=1)
    message = taken(pdu)
    assert (message.id, message.public, message.account, message.born) == (7, 7, "esme", NOW)
    assert (message.source, message.destination, message.service_type) == (b"10", b"447700900001", b"CMT")
    assert (message.data_coding, message.registered_delivery, message.part) == (8, 1, None)
    assert pdus.decode_submit(message.body) == message.pdu == pdu


def test_the_esme_may_know_it_by_another_id() -> None:
    assert taken(submit(), public=9).public == 9


def test_without_a_validity_period_it_has_that_of_the_gateway_from_when_it_may_go() -> None:
    assert taken(submit()).expires == NOW + DAY
    later = submit(schedule_delivery_time=times.absolute(NOW + 600))
    assert taken(later).expires == pytest.approx(NOW + 600 + DAY, abs=1)


def test_what_we_hold_the_upstream_does_not_hold_again() -> None:
    message = taken(submit(schedule_delivery_time=times.absolute(NOW + 600)))
    assert message.not_before == pytest.approx(NOW + 600, abs=1)
    assert pdus.decode_submit(message.body).schedule_delivery_time == b""
    assert message.pdu == pdus.decode_submit(message.body)


def test_a_validity_that_ends_before_the_message_may_go_is_refused() -> None:
    pdu = submit(schedule_delivery_time=times.absolute(NOW + 600), validity_period=times.absolute(NOW + 60))
    with pytest.raises(PduError) as refused:
        taken(pdu)
    assert refused.value.status == Status.RINVEXPIRY


@pytest.mark.parametrize(
    ("field", "status"), [("schedule_delivery_time", Status.RINVSCHED), ("validity_period", Status.RINVEXPIRY)]
)
def test_a_time_that_is_none_is_refused_with_the_status_of_its_field(field: str, status: Status) -> None:
    with pytest.raises(PduError) as refused:
        taken(submit(**{field: b"9999999999999999"}))
    assert refused.value.status == status


def test_a_relative_validity_counts_from_when_it_came() -> None:
    pdu = submit(validity_period=b"000001000000000R")
    assert expiry(pdu, NOW, NOW + 10, 60) == NOW + DAY
    assert expiry(submit(), NOW, NOW + 10, 60) == NOW + 70


def test_parts_of_one_message_have_one_number_and_those_of_others_have_others() -> None:
    first, second = udh_part(1, 2, 1), udh_part(1, 2, 2)
    assert number_of("esme", first) == number_of("esme", second) is not None
    others = [
        ("other", first),
        ("esme", udh_part(2, 2, 1)),
        ("esme", udh_part(1, 3, 1)),
        ("esme", udh_part(1, 2, 1, b"11")),
    ]
    assert number_of("esme", first) not in [number_of(account, pdu) for account, pdu in others]


@pytest.mark.parametrize("pdu", [submit(), udh_part(1, 1, 1)])
def test_a_message_of_one_part_is_whole(pdu: SubmitSm) -> None:
    assert part_of(pdu) is None
    assert number_of("esme", pdu) is None
    assert taken(pdu).part is None


@given(st.integers(0, 255), st.integers(2, 255), st.data())
def test_a_part_says_which_it_is(reference: int, total: int, data: st.DataObject) -> None:
    number = data.draw(st.integers(1, total))
    found = part_of(udh_part(reference, total, number))
    assert found is not None
    assert (found.reference, found.total, found.number) == (reference, total, number)


def test_a_receipt_needs_the_addresses_the_ids_and_the_first_octets_of_the_text() -> None:
    waiting = waiting_of(taken(submit(source_addr_ton=5, dest_addr_npi=1)), b"up", [b"a1", b"a2"])
    assert (waiting.account, waiting.connector, waiting.public, waiting.born) == (b"esme", b"up", 7, NOW)
    assert (waiting.source_ton, waiting.source, waiting.dest_npi, waiting.destination) == (5, b"10", 1, b"447700900001")
    assert waiting.parts == ((b"a1", 0), (b"a2", 0))
    assert waiting.text == b"Hello"


@pytest.mark.parametrize("pdu", [udh_part(1, 2, 1), submit(data_coding=DataCoding.UCS2), submit(data_coding=4)])
def test_of_what_is_no_plain_text_a_receipt_repeats_nothing(pdu: SubmitSm) -> None:
    assert waiting_of(taken(pdu), b"up", [b"a"]).text == b""
