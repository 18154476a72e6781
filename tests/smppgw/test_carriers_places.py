"""A place leads to what stands there, and to nothing where nothing does."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.carriers.places import Said, place, value, values, word
from smppgw.values import Wrong
from tests.smppgw.hooked import reply

REPLY = b'{"id":"a1","n":0,"ok":true,"x":null,"parts":[{"id":"p1"},{"id":"p2"},7],"a.b":1}'


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("tag", ("t",)),
        ("json:id", ("a1",)),
        ("json:n", ("0",)),
        ("json:ok", ("true",)),
        ("json:parts.0.id", ("p1",)),
        ("json:parts.*.id", ("p1", "p2")),
        ("json:parts.9.id", ()),
        ("json:x", ()),
        ("json:x.y", ()),
        ("json:parts", ()),
        ("header:x-id", ("h7",)),
        ("header:X-None", ()),
        ('re:"id":"(p[0-9])"', ("p1", "p2")),
        ("re:no(thing)", ()),
    ],
)
def test_a_place_in_a_reply(where: str, found: tuple[str, ...]) -> None:
    assert place(where, "reply.id")(Said(reply(body=REPLY, X_Id=" h7 "), "t")) == found


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe", b"[" * 100_000, b'"id"', b"null"])
def test_a_reply_that_is_no_object_has_no_places(body: bytes) -> None:
    said = Said(reply(body=body), "t")
    assert place("json:id", "reply.id")(said) == ()
    assert place("re:(id=)", "reply.id")(said) == ()


@pytest.mark.parametrize(
    ("where", "wrong", "fix"),
    [
        ("jsn:id", "reply.id: 'jsn:id' is no place", "did you mean 'json'?"),
        ("id", "reply.id: 'id' is no place", '"json:path.to.id"'),
        ("json:", "reply.id: 'json:' names nothing", ""),
        ("re:(", "reply.id: '(' is no regular expression", "correct it"),
        ("re:id=[0-9]+", "reply.id: 'id=[0-9]+' has 0 groups", "( )"),
        ("re:(a)(b)", "reply.id: '(a)(b)' has 2 groups", "( )"),
    ],
)
def test_a_place_that_cannot_be_is_refused(where: str, wrong: str, fix: str) -> None:
    with pytest.raises(Wrong) as caught:
        place(where, "reply.id")
    assert caught.value.wrong.startswith(wrong)
    assert fix in caught.value.fix


def test_names_with_dots_count_before_paths() -> None:
    assert value({"a.b": "flat", "a": {"b": "deep"}}, "a.b") == "flat"
    assert value({"a": {"b": "deep"}}, "a.b") == "deep"


def test_no_path_is_the_document_but_no_value() -> None:
    assert values([1], "") == [[1]]
    assert value("x", "") == ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
)


@given(JSON, st.text(alphabet="abc.*09", max_size=8))
def test_any_path_through_any_document_is_a_text_that_can_be_written(document: Any, path: str) -> None:
    value(document, path).encode()


def test_halves_of_pairs_become_question_marks() -> None:
    assert word("a\ud800b") == "a?b"
