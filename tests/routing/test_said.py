"""What a handset's message is known by, as a record."""

from hypothesis import given
from hypothesis import strategies as st

from routing.message import SAID
from routing.said import LONGEST, pack, unpack

SHORT = st.binary(max_size=LONGEST)


@given(SHORT, SHORT)
def test_an_id_is_read_back(connector: bytes, id: bytes) -> None:
    record = pack(connector, id)
    assert record[0] == SAID
    assert unpack(record) == (connector, id)
