"""The tables of a described carrier say what they mean, or what is wrong with them."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import Field, ValidationError

from protocol.consts import MessageState, Status
from smppgw.carriers.template_settings import STATES, LookUp, Mos, Receipts, Replies, Request, Rule, Secrets
from smppgw.settings import Model


class Tables(Model):
    """Where they stand in a connector."""

    secrets: Secrets = Field(default_factory=dict)
    send: Request = Request()
    reply: Replies = Replies()
    receipts: Receipts = Receipts()
    mo: Mos = Mos()
    look_up: LookUp = LookUp()


@pytest.mark.parametrize(
    ("tables", "wrong"),
    [
        ({"send": {"form": {"a": "b"}, "text_body": "x"}}, "form and text_body are given"),
        ({"send": {"headers": {"X": "a\nb"}}}, "headers.X is no header of HTTP"),
        ({"send": {"headers": {"X Y": "a"}}}, "headers.X Y is no header of HTTP"),
        ({"send": {"path": "send"}}, "path"),
        ({"secrets": {"key": {"env": "SMPPGW_NO_SUCH"}}}, "key: SMPPGW_NO_SUCH is not in the environment"),
        ({"secrets": {"key": {"file": "/nowhere"}}}, "key: /nowhere cannot be read: No such file"),
        ({"secrets": {"key": 7}}, "key is no secret"),
        ({"secrets": {"key": {"env": "A", "file": "B"}}}, "key is no secret"),
        ({"receipts": {"id": "id", "state": "s", "states": {"a": "DELIVERD"}}}, "did you mean 'DELIVRD'?"),
        ({"reply": {"code": "json:code"}}, "code and success go together"),
        ({"reply": {"codes": {"5": "perhaps"}}}, "verdict"),
        ({"reply": {"codes": {"5": {"verdict": "later", "status": "RNONE"}}}}, "'RNONE' is not a status"),
        ({"send": {"method": "HEAD"}}, "method"),
        ({"send": {"json_body": {"a": 1}, "form": {"b": "2"}}}, "form and json_body are given"),
        ({"look_up": {"form": {"a": "b"}, "text_body": "x"}}, "form and text_body are given"),
        ({"reply": {"success": ["0"]}}, "code and success go together"),
        ({"reply": {"statuses": [99]}}, "statuses"),
        ({"mo": {"sauce": "from"}}, "sauce"),
    ],
)
def test_a_mistake_is_named(tables: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Tables.model_validate(tables)
    assert wrong in str(caught.value)


def test_a_secret_may_be_elsewhere_and_never_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("from-a-file\n")
    monkeypatch.setenv("OWN_KEY", "from-the-environment")
    own = Tables.model_validate(
        {"secrets": {"a": {"file": str(tmp_path / "key")}, "b": {"env": "OWN_KEY"}, "c": "plain-one"}}
    )
    assert [each.get_secret_value() for each in own.secrets.values()] == [
        "from-a-file",
        "from-the-environment",
        "plain-one",
    ]
    assert not any(secret in repr(own) for secret in ("from-a-file", "from-the-environment", "plain-one"))


@pytest.mark.parametrize("name", STATES)
def test_states_have_the_names_of_receipts_in_any_case(name: str) -> None:
    receipts = Receipts.model_validate({"states": {"a": name, "b": name.lower()}})
    assert receipts.states == {"a": STATES[name], "b": STATES[name]}
    assert STATES["UNDELIV"] is MessageState.UNDELIVERABLE


def test_a_code_means_a_verdict_alone_or_with_its_status() -> None:
    codes = {"1": "later", "2": {"verdict": "never", "status": "RINVDSTADR", "again": "sent"}}
    assert Replies.model_validate({"code": "json:c", "success": ["0"], "codes": codes}).codes == {
        "1": Rule(verdict="later"),
        "2": Rule(verdict="never", status=int(Status.RINVDSTADR), again="sent"),
    }
