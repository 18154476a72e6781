"""Placeholders are compiled once, filled as they stand, and wrong ones are found before the first message."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.carriers.placeholders import Words
from smppgw.values import Wrong

VALUES = {"to": "+81", "text": "100% {sure}", "none": "", "size": "12", "yes": "1", "no": "0"}


def words() -> Words:
    return Words(VALUES, {"token": "s%3{x}"})


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("", ""),
        ("plain 100%", "plain 100%"),
        ("{{}}", "{}"),
        ("{to}", "+81"),
        ("to {to}: {text}!", "to +81: 100% {sure}!"),
        ("Bearer {token}", "Bearer s%3{x}"),
        ("{token}{to}%", "s%3{x}+81%"),
        ("[{none}]", "[]"),
    ],
)
def test_placeholders_are_filled_and_nothing_else_changes(template: str, filled: str) -> None:
    assert words().text(template, "body")(VALUES) == filled


@given(st.text(), st.text())
def test_any_text_around_and_any_value_in_it_stay_what_they_are(around: str, value: str) -> None:
    quoted = around.replace("{", "{{").replace("}", "}}")
    assert words().text(f"{quoted}{{to}}{quoted}", "body")({"to": value}) == f"{around}{value}{around}"


@pytest.mark.parametrize(
    ("template", "wrong", "fix"),
    [
        ("{txt}", "form.message: {txt} is no placeholder", "did you mean 'text'?"),
        ("{tokne}", "form.message: {tokne} is no placeholder", "did you mean 'token'?"),
        ("{", "form.message: ", "braces"),
        ("}", "form.message: ", "braces"),
        ("{}", "form.message: {} is no placeholder", "known are: "),
        ("{to.__class__}", "form.message: {to.__class__} is no placeholder", ""),
        ("{to!r}", "form.message: '{to!r}' cannot be filled", "kinds are number and bool"),
        ("{to:>10}", "form.message: '{to:>10}' cannot be filled", "kinds are number and bool"),
        ("{size:number}", "form.message: :number is for values in JSON", "leave it out"),
        ("{token!r}", "form.message: {token} is no placeholder", ""),
    ],
)
def test_what_cannot_be_filled_is_named(template: str, wrong: str, fix: str) -> None:
    with pytest.raises(Wrong) as caught:
        words().text(template, "form.message")
    assert caught.value.wrong.startswith(wrong)
    assert fix in caught.value.fix


def test_a_field_whose_placeholders_are_empty_is_left_out() -> None:
    fields = words().fields({"a": "{none}", "b": "", "c": "{none}{to}", "d": "x{none}"}, "form")
    assert fields.varies
    assert fields(VALUES) == {"b": "", "c": "+81"}


def test_fields_without_placeholders_are_made_once() -> None:
    fields = words().fields({"a": "1", "b": "{token}"}, "headers")
    assert not fields.varies
    assert fields({}) is fields({})
    assert fields({}) == {"a": "1", "b": "s%3{x}"}


@pytest.mark.parametrize(
    ("node", "made"),
    [
        ({"a": 1, "b": True, "c": 0.5, "d": "x", "e": ""}, {"a": 1, "b": True, "c": 0.5, "d": "x", "e": ""}),
        ({"to": ["{to}", {"x": "{text}"}]}, {"to": ["+81", {"x": "100% {sure}"}]}),
        ({"size": "{size:number}", "text": "{text:number}"}, {"size": 12, "text": "100% {sure}"}),
        ({"yes": "{yes:bool}", "no": "{no:bool}"}, {"yes": True, "no": False}),
        ({"gone": "{none}", "number": "{none:number}", "kept": {"gone": "{none}"}}, {"kept": {}}),
        ({"key": "{token}"}, {"key": "s%3{x}"}),
    ],
)
def test_json_keeps_its_shape(node: Any, made: Any) -> None:
    assert words().json(node, "json_body")(VALUES) == made


@pytest.mark.parametrize(
    ("node", "wrong"),
    [
        ({"a": {"b": ["{txt}"]}}, "json_body.a.b[0]: {txt} is no placeholder"),
        ({"a": None}, "json_body.a: None has no form in JSON"),
        ({"a": "x{size:number}"}, "json_body.a: 'x{size:number}' cannot be filled"),
    ],
)
def test_a_mistake_in_json_has_its_path(node: Any, wrong: str) -> None:
    with pytest.raises(Wrong) as caught:
        words().json(node, "json_body")
    assert caught.value.wrong == wrong


def test_what_is_used_is_known() -> None:
    some = words()
    some.text("{to} {token}", "body")
    some.json({"a": ["{text}"]}, "json_body")
    assert some.used == {"to", "text"}
