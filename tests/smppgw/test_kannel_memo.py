"""What a message carries for its report, packed and read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.kannel.memo import Memo

TEXT = st.binary(max_size=300)
NUMBER = st.integers(-1, 127)
COUNT = st.integers(0, 255)
MEMOS = st.builds(Memo, COUNT, *[TEXT] * 9, *[NUMBER] * 5, COUNT, COUNT, st.integers(0, 2**64 - 1))


@given(MEMOS)
def test_a_memo_comes_back_from_the_store(memo: Memo) -> None:
    assert Memo.unpack(memo.pack()) == memo


def test_a_memo_of_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="version 63"):
        Memo.unpack(b"c" + Memo().pack()[1:])
