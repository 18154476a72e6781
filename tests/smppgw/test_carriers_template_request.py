"""A described request is filled part by part, each in its own way."""

from typing import Any

import pytest

from smppgw.carriers.template_request import Prepared
from smppgw.carriers.template_settings import Request
from smppgw.values import Wrong
from tests.smppgw.hooked import Paper, reply

VALUES = {"to": "+81 90", "text": '<"&\n>', "none": "", "size": "90", "yes": "1"}


def prepared(**tables: Any) -> Prepared:
    return Prepared("send", Request.model_validate(tables), VALUES, {"key": "a/b&c"})


async def asked(values: dict[str, str] | None = None, **tables: Any) -> tuple[str, str, dict[str, str], bytes]:
    paper = Paper(reply())
    await prepared(**tables).ask(paper, {**VALUES, **(values or {})}, {"X-Basic": "basic"})
    return paper.asked[0]


async def test_values_in_a_path_are_quoted() -> None:
    _, url, _, _ = await asked(path="/v1/{key}/{to}/send")
    assert url == "/v1/a%2Fb%26c/%2B81%2090/send"


async def test_values_in_a_query_are_quoted_and_empty_ones_left_out() -> None:
    _, url, _, _ = await asked(path="/send", query={"to": "{to}", "none": "{none}", "key": "{key}", "fixed": ""})
    assert url == "/send?to=%2B81+90&key=a%2Fb%26c&fixed="


async def test_no_value_makes_a_header_of_its_own() -> None:
    headers = {"X-Text": "{text}", "Authorization": "Bearer {key}"}
    _, _, sent, _ = await asked({"text": "a\r\nX-Evil: 1\0"}, headers=headers)
    assert sent == {"X-Basic": "basic", "X-Text": "a  X-Evil: 1 ", "Authorization": "Bearer a/b&c"}


async def test_its_own_headers_win() -> None:
    _, _, sent, _ = await asked(headers={"X-Basic": "own"})
    assert sent == {"X-Basic": "own"}


async def test_a_form_is_encoded() -> None:
    _, _, _, body = await asked(form={"to": "{to}", "text": "{text}", "none": "{none}"})
    assert body == b"to=%2B81+90&text=%3C%22%26%0A%3E"


async def test_json_keeps_types_and_shape() -> None:
    body = {"messages": [{"to": ["{to}"], "ttl": "{size:number}", "dlr": "{yes:bool}", "none": "{none}", "n": 1}]}
    _, _, _, sent = await asked(json_body=body)
    assert sent == b'{"messages":[{"to":["+81 90"],"ttl":90,"dlr":true,"n":1}]}'


@pytest.mark.parametrize(
    ("escape", "body"),
    [
        ("none", '<<"&\n> a/b&c>'),
        ("xml", "<&lt;&quot;&amp;\n&gt; a/b&amp;c>"),
        ("json", '<<\\"&\\n> a/b&c>'),
    ],
)
async def test_values_in_a_text_are_escaped_as_configured(escape: str, body: str) -> None:
    _, _, _, sent = await asked(text_body="<{text} {key}>", escape=escape)
    assert sent.decode() == body


async def test_a_request_may_have_no_body() -> None:
    assert await asked(method="GET", path="/send") == ("GET", "/send", {"X-Basic": "basic"}, b"")


def test_it_knows_what_it_needs() -> None:
    tables = {"path": "/{to}", "query": {"a": "{size}"}, "headers": {"B": "{none}"}, "text_body": "{text}{key}"}
    assert prepared(**tables).used == {"to", "size", "none", "text"}


@pytest.mark.parametrize(
    ("tables", "field"),
    [
        ({"path": "/{x}"}, "send.path"),
        ({"query": {"a": "{x}"}}, "send.query.a"),
        ({"headers": {"A": "{x}"}}, "send.headers.A"),
        ({"form": {"a": "{x}"}}, "send.form.a"),
        ({"json_body": {"a": ["{x}"]}}, "send.json_body.a[0]"),
        ({"text_body": "{x}"}, "send.text_body"),
    ],
)
def test_a_placeholder_that_nobody_knows_is_named_with_its_field(tables: dict[str, Any], field: str) -> None:
    with pytest.raises(Wrong) as caught:
        prepared(**tables)
    assert caught.value.wrong == f"{field}: {{x}} is no placeholder"
