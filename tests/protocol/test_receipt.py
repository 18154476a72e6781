"""Delivery receipts."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiosmpplib.protocol import DeliverSm
from hypothesis import given
from hypothesis import strategies as st

from protocol import receipt, tlv
from protocol.consts import MessageState, Tag
from protocol.receipt import Receipt

VECTORS = Path(__file__).parents[1] / "vectors" / "pdu_vectors.jsonl"
STATES = st.sampled_from([state for state in MessageState if state is not MessageState.SCHEDULED])
# Until 2067: the oracle takes later years for those of the 20th century.
MINUTES = st.integers(946684800 // 60, 3092601540 // 60).map(lambda minutes: minutes * 60.0)
WORD = st.from_regex(rb"\A[0-9A-Za-z_.\-]{1,40}\Z")
COUNT = st.integers(0, 999)
TEXT = st.binary(max_size=20).map(lambda said: said.rstrip(b"\0"))
RECEIPTS = st.builds(
    Receipt,
    id=WORD,
    state=STATES,
    err=st.from_regex(rb"\A([0-9]{3}|[A-Z][0-9]{2})\Z"),
    submitted=MINUTES,
    done=MINUTES,
    sub=COUNT,
    dlvrd=COUNT,
    text=TEXT,
    network_error=st.none(),
)
TLVS = st.dictionaries(
    st.sampled_from([Tag.RECEIPTED_MESSAGE_ID, Tag.MESSAGE_STATE, Tag.NETWORK_ERROR_CODE]), st.binary(max_size=8)
)
ORDINARY = b"id:0123abcd sub:001 dlvrd:001 submit date:2310011200 done date:2310011201 stat:DELIVRD err:000 text:Hello"


def epoch(*when: int) -> float:
    return datetime(*when, tzinfo=UTC).timestamp()  # type: ignore[misc,arg-type]


def read(text: bytes, tlvs: dict[int, bytes] | None = None) -> Receipt:
    found = receipt.parse(text, tlvs)
    assert found is not None
    return found


def test_the_ordinary_form_is_read() -> None:
    assert read(ORDINARY) == Receipt(
        id=b"0123abcd",
        state=MessageState.DELIVERED,
        err=b"000",
        submitted=epoch(2023, 10, 1, 12, 0),
        done=epoch(2023, 10, 1, 12, 1),
        sub=1,
        dlvrd=1,
        text=b"Hello",
    )


@given(RECEIPTS)
def test_a_receipt_is_read_as_it_was_written(said: Receipt) -> None:
    assert receipt.parse(receipt.form(said)) == said


@given(RECEIPTS)
def test_the_tlvs_alone_say_what_they_can(said: Receipt) -> None:
    found = read(b"", tlv.parse(receipt.tlvs(said)))
    assert (found.id, found.state) == (said.id, said.state)


@given(RECEIPTS, st.data())
def test_any_order_and_any_case_say_the_same(said: Receipt, data: st.DataObject) -> None:
    before, text = receipt.form(said).split(b" text:", 1)
    fields = re.findall(rb"(?:submit |done )?\w+:\S*", before)
    assert len(fields) == 7
    shuffled = [
        data.draw(st.sampled_from([key, key.upper(), key.replace(b" ", b""), key.replace(b" ", b"_")])) + b":" + value
        for key, _, value in (field.partition(b":") for field in data.draw(st.permutations(fields)))
    ]
    space = data.draw(st.sampled_from([b" ", b"  ", b"\r\n", b", "]))
    assert receipt.parse(space.join([*shuffled, b"Text:" + text])) == said


@given(st.binary() | RECEIPTS.map(receipt.form), st.integers(0, 200), TLVS)
def test_no_octets_raise(text: bytes, cut: int, tlvs: dict[int, bytes]) -> None:
    for octets in (text, text[:cut], text[cut:], text[:cut].decode("latin-1").encode("utf-16-be")):
        found = receipt.parse(octets, tlvs)
        if found is not None:
            assert found.id
            receipt.form(found)
            receipt.tlvs(found)
            receipt.candidates(found.id)


@pytest.mark.parametrize("err", [b"E" * 200, b"9" * 5000])
def test_an_err_of_any_length_leaves_room_for_the_rest(err: bytes) -> None:
    written = receipt.form(read(ORDINARY.replace(b"err:000", b"err:" + err)))
    assert written == ORDINARY.replace(b"err:000", b"err:" + err[: receipt.MAX_ERR])


@given(st.lists(st.sampled_from([b"id:", b"stat:", b"text:", b"err:", b"submit date:", b" ", b"1", b"A", b"\0"])))
def test_no_fragments_of_a_receipt_raise(fragments: list[bytes]) -> None:
    receipt.parse(b"".join(fragments))


@pytest.mark.parametrize(
    "text",
    [b"", b"hello", b"stat:DELIVRD err:000", b"id: stat:DELIVRD", b"id:\0", b"\0", b"void:12 stats:1"],
)
def test_what_names_no_message_is_no_receipt(text: bytes) -> None:
    assert receipt.parse(text) is None
    assert receipt.parse(text, {Tag.MESSAGE_STATE: b"\2", Tag.RECEIPTED_MESSAGE_ID: b"\0"}) is None


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        (ORDINARY, "id", b"0123abcd"),
        (b"id:0000436949 stat:DELIVRD", "id", b"0000436949"),
        (b"id:bc59b8aa-2fd2-4035-8113-19301e050079 stat:DELIVRD", "id", b"bc59b8aa-2fd2-4035-8113-19301e050079"),
        (b"ID: 77  SUB:001", "id", b"77"),
        (b"sub:001 stat:DELIVRD id:77", "id", b"77"),
        (b"id:77,stat:DELIVRD;err:5", "id", b"77"),
        (b"id:77 stat:", "state", None),
        (b"id:77 stat:delivrd err:000", "state", MessageState.DELIVERED),
        (b"id:77 stat:Delivered", "state", MessageState.DELIVERED),
        (b"id:77 stat:UNDELIVERABLE", "state", MessageState.UNDELIVERABLE),
        (b"id:77 stat:FAILED", "state", MessageState.UNDELIVERABLE),
        (b"id:77 stat:BUFFRED", "state", MessageState.ENROUTE),
        (b"id:77 stat:SENT", "state", MessageState.ENROUTE),
        (b"id:77 stat:ACKED", "state", MessageState.ACCEPTED),
        (b"id:77 stat:5", "state", MessageState.UNDELIVERABLE),
        (b"id:77 stat:WHATEVER", "state", None),
        (b"id:77 stat:DELIVRD err:A01 text:x", "err", b"A01"),
        (b"id:77 stat:DELIVRD err: text:x", "err", b""),
        (b"id:77 stat:DELIVRD err: smsc:9 text:x", "err", b""),
        (b"id:77 err:-1 stat:DELIVRD", "err", b"-1"),
        (ORDINARY.replace(b"000", b"0000"), "err", b"0000"),
        (ORDINARY.replace(b"000", b"A01"), "err", b"A01"),
        (ORDINARY.replace(b"000", b"A01"), "text", b"Hello"),
        (ORDINARY.replace(b"text:", b"Text:"), "text", b"Hello"),
        (ORDINARY.replace(b"text:Hello", b""), "err", b"000"),
        (ORDINARY.replace(b" text:Hello", b"\0"), "err", b"000"),
        (ORDINARY.replace(b" text:Hello", b" te"), "err", b"000"),
        (ORDINARY.replace(b"Hello", b"stat:EXPIRED id:9"), "text", b"stat:EXPIRED id:9"),
        (ORDINARY.replace(b"Hello", b"stat:EXPIRED id:9").replace(b" sub", b"  sub"), "text", b"stat:EXPIRED id:9"),
        (ORDINARY.replace(b"Hello", b"stat:EXPIRED id:9").replace(b" sub", b"  sub"), "id", b"0123abcd"),
        (ORDINARY.replace(b"sub:001 dlvrd:001 ", b""), "sub", None),
        (ORDINARY.replace(b"sub:001 ", b""), "dlvrd", 1),
        (ORDINARY.replace(b" stat", b" mcc:270 mnc:1 stat"), "state", MessageState.DELIVERED),
        (b"id:77 text:hi stat:EXPIRED", "state", MessageState.EXPIRED),
        (b"id:77 text:hi stat:EXPIRED", "text", b"hi "),
    ],
)
def test_every_dialect_is_read(text: bytes, field: str, value: object) -> None:
    assert getattr(read(text), field) == value


@pytest.mark.parametrize("key", [b"submit date", b"submitdate", b"submit_date", b"Submit Date", b"SUBMIT_DATE"])
@pytest.mark.parametrize(
    ("date", "when"),
    [
        (b"0911040124", epoch(2009, 11, 4, 1, 24)),
        (b"141016003650", epoch(2014, 10, 16, 0, 36, 50)),
        (b"202610160036", epoch(2026, 10, 16, 0, 36)),
        (b"20261016003650", epoch(2026, 10, 16, 0, 36, 50)),
        (b"2015-05-08 14:40:58", epoch(2015, 5, 8, 14, 40, 58)),
        (b"0000000000", None),
        (b"9999999999", None),
        (b"123", None),
        (b"", None),
    ],
)
def test_every_date_is_read(key: bytes, date: bytes, when: float | None) -> None:
    text = b"id:77 sub:001 dlvrd:001 %b:%b done date:%b stat:DELIVRD err:000 text:" % (key, date, date)
    assert (read(text).submitted, read(text).done) == (when, when)


def test_a_receipt_in_ucs_2_is_read() -> None:
    said = ORDINARY.decode().encode("utf-16-be")
    assert read(said) == read(b"\xfe\xff" + said) == read(ORDINARY)


def test_tlvs_win_over_the_text() -> None:
    tlvs: dict[int, bytes] = {
        Tag.RECEIPTED_MESSAGE_ID: b"70BA8A69\0",
        Tag.MESSAGE_STATE: b"\x05",
        Tag.NETWORK_ERROR_CODE: b"\3\0\7",
    }
    found = read(ORDINARY, tlvs)
    assert found == read(ORDINARY)._replace(id=b"70BA8A69", state=MessageState.UNDELIVERABLE, network_error=b"\3\0\7")


def test_tlvs_stand_alone() -> None:
    tlvs: dict[int, bytes] = {
        Tag.RECEIPTED_MESSAGE_ID: b"42\0",
        Tag.MESSAGE_STATE: b"\x02",
        Tag.NETWORK_ERROR_CODE: b"\3\0\7",
    }
    assert receipt.parse(b"", tlvs) == Receipt(b"42", MessageState.DELIVERED, err=b"007", network_error=b"\3\0\7")


def test_a_state_that_nobody_knows_leaves_that_of_the_text() -> None:
    assert read(ORDINARY, {Tag.MESSAGE_STATE: b"\x63"}).state is MessageState.DELIVERED
    assert read(ORDINARY, {Tag.MESSAGE_STATE: b""}).state is MessageState.DELIVERED


def test_the_receipts_of_other_stacks_are_read() -> None:
    found = {}
    for line in VECTORS.read_text().splitlines():
        pdu = json.loads(line)
        if pdu["command"] == "deliver_sm" and (pdu["fields"] or {}).get("esm_class") == 4:
            tlvs = {int(tlv["tag"], 16): bytes.fromhex(tlv["value_hex"]) for tlv in pdu["tlvs"]}
            text = tlvs.get(Tag.MESSAGE_PAYLOAD) or bytes.fromhex(pdu["fields"]["short_message_hex"])
            said = read(text, tlvs)
            found[pdu["id"]] = (said.id, said.state, said.err, said.text)
    done, failed, accepted = MessageState.DELIVERED, MessageState.UNDELIVERABLE, MessageState.ACCEPTED
    umlauts = b"\x84A\x89O\x88 ENTO\x84H. \x8cAPAKA"
    assert found == {
        "v0075": (b"42", done, b"", b""),
        "v0082": (b"msg-1", done, b"", b""),
        "v0100": (b"6aad5", done, b"000", b""),
        "v0101": (b"94251430923", accepted, b"107", b" 26F102"),
        "v0103": (b"110830142754556182180110", done, b"000", b""),
        "v0104": (b"70BA8A69", done, b"000", b"DLVRD TO MOBILE"),
        "v0105": (b"38601fa", done, b"000", b"@$#!%&/:"),
        "v0107": (b"18d0e03a", done, b"000", umlauts),
        "v0108": (b"145100315320224957", done, b"0000", b"Test (mehdi)"),
        "v0109": (b"18d0e03a", done, b"000", umlauts),
        "v0112": (b"253092914522667372", done, b"0000", b"\x1b<eviSMS\x1b>\nSMS de Prue"),
        "v0113": (b"4D19C83C", done, b"0000", b"GW250 MCC=270 MNC=1 BillingMNC=1"),
        "v0114": (b"6a3ed98a66444e8abac3acd9bba8656f", failed, b"000", b""),
        "v0115": (b"126e85a6edeac1a02020099312479564", done, b"000", b"Hello               "),
        "v0116": (b"bc59b8aa-2fd2-4035-8113-19301e050079", done, b"000", b"-"),
        "v0238": (b"0000003005", done, b"000", b""),
    }


def test_the_canonical_form_is_that_of_the_specification() -> None:
    said = Receipt(
        b"77",
        MessageState.UNDELIVERABLE,
        b"7",
        epoch(2023, 10, 1, 12, 0, 59),
        epoch(2023, 10, 1, 12, 1),
        text=b"x" * 30,
    )
    assert receipt.form(said) == (
        b"id:77 sub:001 dlvrd:000 submit date:2310011200 done date:2310011201 stat:UNDELIV err:007 text:" + b"x" * 20
    )


@pytest.mark.parametrize(("err", "shown"), [(b"", b"000"), (b"1", b"001"), (b"0000", b"000"), (b"A01", b"A01")])
def test_an_error_that_is_a_number_has_three_digits(err: bytes, shown: bytes) -> None:
    assert b" err:%b text:" % shown in receipt.form(Receipt(b"77", err=err))


def test_what_a_receipt_does_not_say_is_filled_in() -> None:
    when = epoch(2023, 10, 1, 12, 1)
    dates = b"submit date:2310011201 done date:2310011201"
    assert dates in receipt.form(Receipt(b"7", submitted=when))
    assert dates in receipt.form(Receipt(b"7", done=when))
    assert b"sub:001 dlvrd:001" in receipt.form(Receipt(b"7", MessageState.DELIVERED))
    assert b"stat:UNKNOWN" in receipt.form(Receipt(b"7"))


def test_the_tlvs_end_the_id_with_a_nul() -> None:
    said = Receipt(b"77", MessageState.EXPIRED, network_error=b"\3\0\1")
    assert list(tlv.walk(receipt.tlvs(said))) == [(0x001E, b"77\0"), (0x0427, b"\3"), (0x0423, b"\3\0\1")]
    assert list(tlv.walk(receipt.tlvs(Receipt(b"77")))) == [(0x001E, b"77\0")]


@given(STATES)
def test_every_state_has_a_name_of_seven_letters_that_is_read_back(state: MessageState) -> None:
    name = receipt.state_name(state)
    assert len(name) == 7
    assert read(b"id:7 stat:" + name).state is state


# The oracle reads `err` as a number alone, and a text by splitting characters.
SIMPLE = RECEIPTS.map(lambda said: said._replace(err=b"042", text=b"Hello"))


@given(SIMPLE)
def test_the_oracle_reads_what_we_write(said: Receipt) -> None:
    pdu = DeliverSm(short_message=receipt.form(said).decode(), esm_class=4)
    found = pdu.parse_receipt()
    assert found["id"] == said.id.decode()
    assert found["stat"] == receipt.state_name(said.state).decode()  # type: ignore[arg-type]
    assert (found["sub"], found["dlvrd"], found["err"], found["text"]) == (said.sub, said.dlvrd, 42, "Hello")
    for name, when in (("submit date", said.submitted), ("done date", said.done)):
        assert found[name].replace(tzinfo=UTC).timestamp() == when


@given(SIMPLE)
def test_we_read_what_the_oracle_writes(said: Receipt) -> None:
    assert said.submitted is not None
    assert said.done is not None
    text = DeliverSm.encode_receipt(
        {
            "id": said.id.decode(),
            "sub": said.sub,
            "dlvrd": said.dlvrd,
            "submit date": datetime.fromtimestamp(said.submitted, UTC),
            "done date": datetime.fromtimestamp(said.done, UTC),
            "stat": receipt.state_name(said.state).decode(),  # type: ignore[arg-type]
            "err": 42,
            "text": "Hello",
        }
    )
    assert receipt.parse(text.encode()) == said._replace(text=b"Hello".ljust(20))


NUMBERS = st.integers(1, 2**64)
FORM = st.sampled_from(receipt.FORMS)


def spell(number: int, form: str, width: int, upper: bool) -> bytes:
    if form == "decimal":
        return b"%0*d" % (width, number)
    return b"%0*X" % (width, number) if upper else b"%0*x" % (width, number)


@given(
    NUMBERS, st.sampled_from(["hex", "decimal"]), st.sampled_from(["hex", "decimal"]), st.integers(0, 20), st.booleans()
)
def test_an_id_is_found_in_whatever_form_it_comes_back(
    number: int, answered: receipt.Form, received: receipt.Form, width: int, upper: bool
) -> None:
    answer = spell(number, answered, 8, False)
    said = spell(number, received, width, upper)
    assert receipt.key(answer) in receipt.candidates(said)
    assert receipt.key(answer) in receipt.candidates(said, received)
    assert receipt.key(answer, answered) in receipt.candidates(said, stored=answered)
    assert (receipt.key(answer, answered),) == receipt.candidates(said, received, answered)


@given(WORD, FORM)
def test_the_same_id_is_always_found_first(id: bytes, form: receipt.Form) -> None:
    assert receipt.candidates(id, form, form)[0] == receipt.key(id, form)
    assert receipt.candidates(id)[0] == receipt.key(id)
    assert len(receipt.candidates(id, form, form)) == 1 or form == "auto"


@given(WORD)
def test_an_id_that_is_no_number_has_one_spelling(id: bytes) -> None:
    if not re.fullmatch(rb"[0-9a-fA-F]+", id):
        for form in receipt.FORMS:
            assert receipt.candidates(id, stored=form) == (receipt.key(id, form),)


@pytest.mark.parametrize(
    ("id", "form", "kept"),
    [
        (b"00AB", "auto", b"ab"),
        (b"00AB", "string", b"00AB"),
        (b"00AB", "hex", b"171"),
        (b"0042", "decimal", b"42"),
        (b"0000", "auto", b"0"),
        (b"0", "decimal", b"0"),
        (b"", "hex", b""),
        (b"1_0", "decimal", b"1_0"),
        (b"msg-1", "hex", b"msg-1"),
        (b"1" * 100, "decimal", b"1" * 100),
    ],
)
def test_an_id_is_kept_under_one_key(id: bytes, form: receipt.Form, kept: bytes) -> None:
    assert receipt.key(id, form) == kept


def test_a_string_matches_itself_alone() -> None:
    assert receipt.candidates(b"0042", stored="string") == (b"0042",)
    assert receipt.candidates(b"0042", "string") == (b"42",)


def test_a_long_run_of_digits_costs_nothing() -> None:
    assert receipt.candidates(b"1" * 60000) == (b"1" * 60000,)
