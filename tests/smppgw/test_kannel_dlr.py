import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.kannel.dlr import Memo

TEXT = st.binary(max_size=300)
NUMBER = st.integers(-1, 127)
MEMOS = st.builds(Memo, st.integers(0, 255), *[TEXT] * 9, *[NUMBER] * 5)


@given(MEMOS)
def test_a_memo_comes_back_from_the_store(memo: Memo) -> None:
    assert Memo.unpack(memo.pack()) == memo


def test_a_memo_of_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="version 63"):
        Memo.unpack(b"c" + Memo().pack()[1:])
