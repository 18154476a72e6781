"""An early receipt as a record."""

from hypothesis import given
from hypothesis import strategies as st

from protocol.consts import MessageState
from protocol.receipt import Receipt
from routing.heard import pack, unpack
from routing.message import HEARD

SHORT = st.binary(max_size=255)
STATE = st.none() | st.sampled_from([state for state in MessageState if state])
RECEIPTS = st.tuples(SHORT, STATE, SHORT, st.none() | st.floats(allow_nan=False)).map(
    lambda made: Receipt(*made[:3], done=made[3])
)


@given(SHORT, RECEIPTS)
def test_a_receipt_is_read_back(connector: bytes, found: Receipt) -> None:
    record = pack(connector, found)
    assert record[0] == HEARD
    assert unpack(record) == (connector, found)


def test_what_is_too_long_is_cut() -> None:
    record = pack(b"c", Receipt(b"i" * 300, None, b"e" * 300))
    assert unpack(record) == (b"c", Receipt(b"i" * 255, None, b"e" * 255))
