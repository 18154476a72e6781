"""The simulated Twilio has both APIs, and tells their things apart."""

import pytest

from smppgw.simulate.twilio_commands import SIM
from tests.smppgw.twilio import COMMANDS, GOOD, MESSAGES, ORDER, ask, simulator


async def test_lists_have_the_shape_of_their_api() -> None:
    async with simulator(receipt_after=-1.0) as (_, client, _hooks):
        for n in range(3):
            await ask(client, "POST", f"{MESSAGES}.json", GOOD | {"Body": str(n)})
            await ask(client, "POST", COMMANDS, ORDER | {"Command": str(n)})
        page = (await ask(client, "GET", f"{MESSAGES}.json?PageSize=2")).json()
        assert [each["body"] for each in page["messages"]] == ["2", "1"]
        assert page.keys() == {
            *("end", "first_page_uri", "messages", "next_page_uri", "page", "page_size"),
            *("previous_page_uri", "start", "uri"),
        }
        page = (await ask(client, "GET", page["next_page_uri"])).json()
        assert ([each["body"] for each in page["messages"]], page["next_page_uri"]) == (["0"], None)
        page = (await ask(client, "GET", f"{COMMANDS}?PageSize=2&Direction=to_sim")).json()
        assert page["meta"]["key"] == "commands"
        assert page["meta"]["next_page_url"].startswith("https://wireless.twilio.com/v1/Commands?")
        assert page["meta"].keys() == {
            *("first_page_url", "key", "next_page_url", "page", "page_size", "previous_page_url", "url")
        }
        assert (await ask(client, "GET", f"{COMMANDS}?PageSize=x")).status == 400
        assert (await ask(client, "GET", f"{MESSAGES}.json?PageSize=0")).status == 400
        assert (await ask(client, "GET", f"{MESSAGES}.json?DateSent=2026-01-01")).json()["messages"] == []


@pytest.mark.parametrize(
    "said", [{"sim": SIM}, {"from": "a"}, {"sim": SIM, "hex": "x"}, {"sim": SIM, "text": "x" * 161}]
)
async def test_a_handset_says_nothing_that_makes_no_sense(said: dict[str, str]) -> None:
    async with simulator() as (_, client, _hooks):
        assert (await client.request("POST", "/-/mo", json=said)).status == 400
