"""Only who may ask is answered, whichever API is asked."""

from base64 import b64encode

from tests.smppgw.twilio import COMMANDS, GOOD, MESSAGES, ORDER, ask, simulator


async def test_only_who_knows_the_token_or_a_key_may_ask() -> None:
    async with simulator(api_key="SK1", api_secret="word") as (_, client, _hooks):
        for path, form in ((f"{MESSAGES}.json", GOOD), (COMMANDS, ORDER)):
            key = {"Authorization": f"Basic {b64encode(b'SK1:word').decode()}"}
            assert (await ask(client, "POST", path, form, key)).status == 201
            for headers in ({}, {"Authorization": "Basic QUM6eA=="}):
                reply = await ask(client, "POST", path, form, headers)
                assert (reply.status, reply.json()["code"]) == (401, 20003)
                assert (await ask(client, "GET", path, None, headers)).status == 401
