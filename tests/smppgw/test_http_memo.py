"""What is kept with a message of the API."""

from hypothesis import given
from hypothesis import strategies as st

from smppgw.http.memo import Memo

WORD = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)


@given(st.builds(Memo, WORD, WORD, WORD))
def test_what_is_packed_comes_back(memo: Memo) -> None:
    assert Memo.unpack(memo.pack()) == memo


def test_a_memo_is_never_empty_so_that_its_message_is_told_of() -> None:
    assert Memo("").pack()
