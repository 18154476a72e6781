"""People ask carriers for more than sending: names are checked, replies are JSON, and secrets stay where they are."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from smppgw.carriers import console
from smppgw.carriers.contract import Operation
from smppgw.carriers.registry import KINDS
from smppgw.cli import app
from smppgw.config import parse
from smppgw.ports import free_port
from smppgw.toml import dumps
from smppgw.values import Wrong
from tests.kit import SMPPGW, Process
from tests.smppgw.carrying import CASES, TOKEN, carrier_of, settings_of
from tests.smppgw.hooked import Paper

AIX_TOKEN = "0123456789abcdef0123456789abcdef"


def config_of(kind: str, url: str) -> dict[str, object]:
    return {
        "accounts": {"demo": {"password": "secret"}},
        "connectors": {
            kind: {"kind": kind, "url": url, **CASES[kind].keys},
            "smpp1": {"host": "127.0.0.1", "port": 2775, "system_id": "us", "password": "secret"},
        },
    }


def asked(tmp_path: Path, kind: str, port: int, *words: str) -> Result:
    """`smppgw carrier` with these words."""
    file = tmp_path / "gateway.toml"
    file.write_text(dumps(config_of(kind, f"http://127.0.0.1:{port}")))
    return CliRunner().invoke(app, ["carrier", *words, "--config", str(file)], catch_exceptions=False)


@pytest.fixture(scope="module")
def aix() -> Iterator[int]:
    """The port of a simulated AIX that runs as a process."""
    with Process([SMPPGW, "simulate", "aix", "--port", "0"]) as process:
        yield int(process.expect_line(r"listening on 127\.0\.0\.1:(\d+)")[1])


@pytest.fixture(scope="module")
def twilio() -> Iterator[int]:
    with Process([SMPPGW, "simulate", "twilio", "--port", "0", "--auth-token", TOKEN]) as process:
        yield int(process.expect_line(r"listening on 127\.0\.0\.1:(\d+)")[1])


def test_an_operation_prints_its_reply_as_json(tmp_path: Path, aix: int) -> None:
    result = asked(tmp_path, "aix", aix, "aix", "numbercleaning", "phone=09012345670", "date=20260101")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["status"] == "N"


def test_a_list_has_filters(tmp_path: Path, twilio: int) -> None:
    words = ("twilio_messages", "list", "to=+819012345678", "limit=3")
    result = asked(tmp_path, "twilio_messages", twilio, *words)
    assert (result.exit_code, json.loads(result.stdout)) == (0, [])
    assert "limit" in asked(tmp_path, "twilio_messages", twilio, *words[:2], "limit=many").stderr


def test_without_an_operation_they_are_listed_with_what_they_need(tmp_path: Path) -> None:
    said = asked(tmp_path, "aix", 1, "aix").stdout
    assert "numbercleaning phone=... date=...\n    Has the number another owner since that day" in said
    assert "status [tag=...] [date=...]\n" in said
    assert "list [to=...]" in (said := asked(tmp_path, "twilio_messages", 1, "twilio_messages").stdout)
    assert "[limit=50]" in said
    assert asked(tmp_path, "vonage", 1, "vonage").stdout == "vonage has no operations\n"


@pytest.mark.parametrize("kind", CASES)
def test_every_operation_has_words_and_takes_text(kind: str) -> None:
    operations = carrier_of(kind, "http://127.0.0.1:1", Paper()).operations
    lines = console.listing(settings_of(kind, "http://127.0.0.1:1"))
    assert len(lines) == max(1, 2 * len(operations))
    assert all(line.strip() for line in lines)
    for operation in operations.values():
        assert {annotation for name, annotation in operation.__annotations__.items() if name != "return"} <= {str}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["aixx"], "there is no HTTPS carrier 'aixx'; did you mean 'aix'?"),
        (["smpp1"], "'smpp1' binds to an SMSC, and has no operations; known are: aix"),
        (["aix", "statsu"], "there is no operation 'statsu'; did you mean 'status'?"),
        (["aix", "status", "tga=1"], "status has no argument 'tga'; did you mean 'tag'?"),
        (["aix", "status", "1"], "'1' is no argument; write key=value; status has tag, date"),
        (["aix", "status", "tag=1", "tag=2"], "tag is given twice; give it once"),
        (["aix", "cancelreservation"], "cancelreservation needs tag; add tag=..."),
        (["aix", "numbercleaning"], "numbercleaning needs phone and date; add phone=... date=..."),
        (["aix", "status", "date=yesterday"], "'yesterday' is no date; write 8 digits, like 20260131"),
    ],
)
def test_what_cannot_be_meant_is_not_asked(tmp_path: Path, words: list[str], says: str) -> None:
    result = asked(tmp_path, "aix", 1, *words)
    assert (result.exit_code, result.stderr.strip(), result.stdout) == (2, says, "")


def test_a_value_may_hold_an_equals_sign() -> None:
    operation = carrier_of("aix", "http://127.0.0.1:1", Paper()).operations["shortenurl"]
    assert console.arguments("shortenurl", operation, ["url=https://a/?b=c"]) == {"url": "https://a/?b=c"}


def test_an_operation_without_arguments_says_so() -> None:
    async def subscribers() -> None: ...

    operation: Operation = subscribers
    with pytest.raises(Wrong, match="subscribers has no argument 'of'; it has none"):
        console.arguments("subscribers", operation, ["of=me"])


def test_a_config_without_carriers_says_so() -> None:
    tables = config_of("aix", "https://a")
    tables["connectors"] = {"smpp1": {"host": "a", "port": 1, "system_id": "us", "password": "x"}}
    with pytest.raises(Wrong, match="the config has no HTTPS carrier"):
        console.connector(parse(tables), "aix")


def test_a_carrier_that_is_away_was_not_asked(tmp_path: Path) -> None:
    port = free_port()
    result = asked(tmp_path, "aix", port, "aix", "status", "tag=1")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"http://127.0.0.1:{port} was not reached, so nothing was done: ")
    assert len(result.stderr.splitlines()) == 1


def test_a_reply_that_is_no_json_is_told_in_one_sentence(tmp_path: Path, twilio: int) -> None:
    result = asked(tmp_path, "aix", twilio, "aix", "status", "tag=1")
    assert result.exit_code == 1
    assert result.stderr.startswith("the reply is not what the API promises: http 404")


def test_a_connection_that_is_cut_leaves_a_doubt(tmp_path: Path) -> None:
    cut = "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True)\n"
    cut += "while True: s.accept()[0].close()"
    with Process(["python3", "-c", cut]) as server:
        port = int(server.expect_line(r"^(\d+)$")[1])
        result = asked(tmp_path, "aix", port, "aix", "status", "tag=1")
    assert result.exit_code == 1
    assert "gave no whole reply, so nobody knows what was done: " in result.stderr


@pytest.mark.parametrize("kind", ["aix", "template"])
def test_no_secret_is_shown_whoever_repeats_it(kind: str) -> None:
    secrets = console._secrets(settings_of(kind, "https://a"))
    assert AIX_TOKEN in secrets
    said = {f"key {AIX_TOKEN}": [f"token={AIX_TOKEN}&a=b", 7, None], "x": ({"y": AIX_TOKEN},)}
    shown = console._without(said, secrets)
    assert shown == {"key ***": ["token=***&a=b", 7, None], "x": [{"y": "***"}]}


def test_a_secret_is_known_in_every_spelling() -> None:
    settings = KINDS["vonage"].settings.model_validate(
        {"name": "v", "api_key": "k", "api_secret": 'a+b "c" d/é', "sender": "me"}
    )
    secrets = console._secrets(settings)
    for spelled in ("a%2Bb%20%22c%22%20d%2F%C3%A9", "a%2Bb+%22c%22+d%2F%C3%A9", 'a+b \\"c\\" d/\\u00e9'):
        assert console._without(f"<{spelled}>", secrets) == "<***>"
