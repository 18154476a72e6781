"""The numbers are those of the specification."""

import pytest

from protocol.consts import (
    FINAL_STATES,
    RECEIPT_TYPES,
    RESPONSE,
    Command,
    EsmClass,
    MessageState,
    RegisteredDelivery,
    Status,
    Tag,
)


def test_every_request_but_two_has_its_response_under_the_same_number() -> None:
    requests = {command for command in Command if not command & RESPONSE}
    answered = {Command(command & ~RESPONSE) for command in Command if command & RESPONSE and command != RESPONSE}
    assert requests - answered == {Command.OUTBIND, Command.ALERT_NOTIFICATION}
    assert answered <= requests


@pytest.mark.parametrize("command", [c for c in Command if c & RESPONSE and c != Command.GENERIC_NACK])
def test_a_response_is_named_after_its_request(command: Command) -> None:
    assert command.name == Command(command & ~RESPONSE).name + "_RESP"


@pytest.mark.parametrize("group", [Command, Status, Tag, MessageState])
def test_no_number_has_two_names(group: type[Command]) -> None:
    assert len(group) == len(group.__members__)


def test_the_reserved_statuses_have_no_name() -> None:
    named = {int(status) for status in Status}
    reserved = [0x09, 0x10, 0x12, range(0x16, 0x33), range(0x35, 0x40), 0x41, 0x46, 0x47, 0x4A, 0x52]
    reserved += [range(0x56, 0x58), range(0x59, 0x61), range(0x68, 0xC0), range(0xC5, 0xFE)]
    for numbers in reserved:
        assert named.isdisjoint(numbers if isinstance(numbers, range) else {numbers})


def test_states_that_may_still_change_are_not_final() -> None:
    assert set(MessageState) - FINAL_STATES == {MessageState.SCHEDULED, MessageState.ENROUTE, MessageState.ACCEPTED}


def test_the_message_type_bits_are_all_that_mark_a_receipt() -> None:
    kinds = EsmClass.RECEIPT | EsmClass.DELIVERY_ACK | EsmClass.MANUAL_ACK | EsmClass.INTERMEDIATE
    assert int(kinds) & RECEIPT_TYPES == RECEIPT_TYPES
    assert not RECEIPT_TYPES & (EsmClass.STORE_AND_FORWARD | EsmClass.UDHI | EsmClass.REPLY_PATH)


def test_success_only_is_not_a_mixture_for_the_octet_on_the_wire() -> None:
    assert [int(flag) for flag in (RegisteredDelivery.FINAL, RegisteredDelivery.FAILURE_ONLY)] == [1, 2]
    assert RegisteredDelivery(3) is RegisteredDelivery.SUCCESS_ONLY
