"""What every HTTPS carrier promises, run on each of them with its simulator over a real socket."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict

from protocol.consts import FINAL_STATES, MessageState
from protocol.receipt import Receipt
from smppgw.carriers.client import BadReply, HttpClient
from smppgw.carriers.contract import Answer, Carrier, Hook, HookRefused, Mo, Verdict, doubt
from smppgw.carriers.registry import KINDS
from smppgw.carriers.settings import CarrierSettings
from smppgw.exchange import Unanswered, Unsent
from smppgw.ports import free_port
from smppgw.simulate.carrier import CarrierSimulator
from tests.smppgw.carrying import CASES, carrier_of, settings_of, text_for
from tests.smppgw.hooked import Ear, Paper, client_of, listening_ear

CREDENTIALS = ("password", "token", "secret")

every = pytest.mark.parametrize("kind", CASES)
speaking = pytest.mark.parametrize("kind", [kind for kind, case in CASES.items() if case.mo])
signing = pytest.mark.parametrize("kind", [kind for kind, case in CASES.items() if case.signed])


def capable(what: str, *values: object) -> pytest.MarkDecorator:
    """Those that say so of themselves."""
    kinds = [
        kind for kind in CASES if getattr(carrier_of(kind, "http://127.0.0.1:1", Paper()).capabilities, what) in values
    ]
    return pytest.mark.parametrize("kind", kinds)


@dataclass
class Stage:
    carrier: Carrier
    simulator: CarrierSimulator
    ear: Ear
    url: str
    client: HttpClient


@asynccontextmanager
async def stage(
    kind: str, keys: Mapping[str, Any] | None = None, patience: float = 5.0, **faults: Any
) -> AsyncIterator[Stage]:
    """A carrier, its simulator, and a webhook where the carrier hears it."""
    async with listening_ear() as ear:
        simulator = CASES[kind].simulator(ear.url, **{"receipt_after": 0.01, **faults})
        async with simulator:
            url = f"http://127.0.0.1:{simulator.port}"
            async with client_of(url, patience) as client:
                carrier = ear.carrier = carrier_of(kind, url, client, ear.url, **(keys or {}))
                yield Stage(carrier, simulator, ear, url, client)


def accepted(at: Stage) -> int:
    return at.simulator.counts["accepted"]


async def answer_of(at: Stage, kind: str, **fields: Any) -> Answer:
    """What a connector would make of it: a reply that cannot be read is a doubt."""
    try:
        return await at.carrier.send(text_for(kind, **fields))
    except BadReply as error:
        return doubt(str(error))


@every
def test_every_kind_is_here(kind: str) -> None:
    assert set(KINDS) - {"template"} == set(CASES) - {"template"}
    assert KINDS[kind].settings.model_fields["kind"].default == kind
    assert issubclass(KINDS[kind].settings, CarrierSettings)


@every
async def test_a_text_is_sent_and_its_receipt_heard(kind: str) -> None:
    async with stage(kind) as at:
        answer = await at.carrier.send(text_for(kind))
        assert answer.verdict is Verdict.SENT
        assert len(answer.ids) == 1
        await at.simulator.quiet()
        finals = [each for each in at.ear.receipts if each.state in FINAL_STATES]
        assert [(each.id, each.state) for each in finals] == [(answer.ids[0], MessageState.DELIVERED)]
        assert at.ear.refusals == []


@every
async def test_the_simulator_shows_what_it_accepted(kind: str) -> None:
    async with stage(kind) as at:
        words = "long " * (20 if kind == "twilio_commands" else 60)
        assert (await at.carrier.send(text_for(kind, words.strip()))).verdict is Verdict.SENT
        (shown,) = (await at.client.request("GET", "/-/messages")).json()
    assert shown["text"] == words.strip()
    assert shown["to"].removeprefix("+") == ("DE" + "b" * 32 if kind == "twilio_commands" else CASES[kind].number)


@every
async def test_what_is_not_delivered_is_reported_so(kind: str) -> None:
    async with stage(kind, undelivered=1.0, keys={"states": {"failed": "UNDELIV"}} if kind == "kddi" else None) as at:
        answer = await at.carrier.send(text_for(kind))
        await at.simulator.quiet()
        finals = [each for each in at.ear.receipts if each.state in FINAL_STATES]
        assert [each.id for each in finals] == list(answer.ids)
        assert finals[0].state is not MessageState.DELIVERED
        assert len(finals[0].err) in {0, 3}


@every
async def test_a_text_of_any_script_arrives_as_it_was(kind: str) -> None:
    words = "これは試験です" if kind in {"aix", "kddi"} else "Ünïcödé テスト 😀"
    async with stage(kind) as at:
        assert (await at.carrier.send(text_for(kind, words))).verdict is Verdict.SENT
        assert words in repr(list(at.simulator.accepted.values())) or at.simulator.counts["accepted"] == 1


@every
async def test_wrong_credentials_are_an_alarm_and_no_fault_of_the_text(kind: str) -> None:
    async with stage(kind, keys=dict(CASES[kind].wrong)) as at:
        answer = await at.carrier.send(text_for(kind))
        assert (answer.verdict, answer.alarm) == (Verdict.LATER, True)
        assert answer.code
        assert accepted(at) == 0


@every
async def test_no_server_means_that_nothing_was_sent(kind: str) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    async with client_of(url) as client:
        with pytest.raises(Unsent):
            await carrier_of(kind, url, client).send(text_for(kind))


@every
@pytest.mark.parametrize("fault", ["hang", "reset", "accept_and_hang"])
async def test_no_reply_is_never_taken_for_a_refusal(kind: str, fault: str) -> None:
    async with stage(kind, None, 0.3, **{fault: 1.0}) as at:
        with pytest.raises(Unanswered):
            await at.carrier.send(text_for(kind))


@every
async def test_too_many_requests_are_tried_again_after_a_while(kind: str) -> None:
    async with stage(kind, throttle=1.0) as at:
        answer = await answer_of(at, kind)
        assert answer.verdict is Verdict.LATER
        assert answer.wait > 0
        assert not answer.alarm


@every
async def test_a_page_in_place_of_a_reply_is_never_a_success_nor_a_refusal(kind: str) -> None:
    async with stage(kind, garbage=1.0) as at:
        assert (await answer_of(at, kind)).verdict is Verdict.DOUBT


@every
async def test_a_redirect_is_not_followed(kind: str) -> None:
    async with stage(kind, redirect=1.0) as at:
        answer = await answer_of(at, kind)
        assert (answer.verdict, answer.alarm) == (Verdict.LATER, True)


@every
async def test_an_internal_error_is_no_refusal_for_good(kind: str) -> None:
    async with stage(kind, error=1.0) as at:
        assert (await answer_of(at, kind)).verdict in {Verdict.LATER, Verdict.DOUBT}


@capable("idempotent", True)
async def test_what_was_accepted_without_a_reply_is_accepted_once_where_the_carrier_can_tell(kind: str) -> None:
    async with stage(kind, patience=1.0, accept_and_hang=1.0) as at:
        with pytest.raises(Unanswered):
            await at.carrier.send(text_for(kind))
        async with stage_again(at):
            answer = await at.carrier.send(text_for(kind, attempts=1))
        assert answer.verdict is Verdict.SENT
        assert accepted(at) == 1
        await at.simulator.quiet()
        assert {each.id for each in at.ear.receipts} == set(answer.ids)


@asynccontextmanager
async def stage_again(at: Stage) -> AsyncIterator[None]:
    """The simulator behaves from here on."""
    reply = await at.client.request("POST", "/-/options", json={"accept_and_hang": 0.0})
    assert reply.status == 200
    yield


@every
async def test_a_repeated_notification_says_the_same(kind: str) -> None:
    async with stage(kind) as at:
        await at.carrier.send(text_for(kind))
        await at.simulator.quiet()
        assert at.ear.hooks
        for hook in at.ear.hooks:
            first, second = at.carrier.hear(hook), at.carrier.hear(hook)
            assert [(each.id, type(each)) for each in first] == [(each.id, type(each)) for each in second]


@speaking
async def test_what_a_handset_says_is_heard(kind: str) -> None:
    said = CASES[kind].mo
    assert said is not None
    async with stage(kind) as at:
        reply = await at.client.request("POST", "/-/mo", json=said.say)
        assert reply.status == 200, reply.excerpt
        await at.ear.wait_for(1)
        (mo,) = at.ear.mos
        assert mo.source.removeprefix("+") == said.source
        assert mo.destination.removeprefix("+") == said.destination
        assert mo.text == said.text
        assert mo.id


@signing
async def test_a_forged_notification_is_refused(kind: str) -> None:
    async with stage(kind) as at:
        await at.carrier.send(text_for(kind))
        await at.simulator.quiet()
        hook = at.ear.hooks[0]
        headers = CIMultiDict(hook.headers)
        headers["X-Twilio-Signature"] = "AAAAAAAAAAAAAAAAAAAAAAAAAAA="
        with pytest.raises(HookRefused) as caught:
            at.carrier.hear(Hook(hook.method, hook.url, hook.query, headers, hook.body))
        assert caught.value.status == 403


@capable("receipts", "poll", "both")
async def test_it_can_be_asked_where_it_says_so(kind: str) -> None:
    async with stage(kind) as at:
        answer = await at.carrier.send(text_for(kind))
        await at.simulator.quiet()
        heard = await at.carrier.poll(answer.ids[0])
        assert [(each.id, each.state) for each in heard if isinstance(each, Receipt)] == [
            (answer.ids[0], MessageState.DELIVERED)
        ]


@every
@settings(max_examples=60, deadline=None)
@given(
    method=st.sampled_from(["GET", "POST", "PUT"]),
    query=st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20)), max_size=5),
    headers=st.dictionaries(
        st.sampled_from(["Content-Type", "X-Twilio-Signature", "Authorization"]),
        st.sampled_from(["application/json", "application/x-www-form-urlencoded", "text/xml", "", "junk"]),
    ),
    body=st.one_of(
        st.binary(max_size=200),
        st.sampled_from(
            [
                b"{}",
                b"[]",
                b"null",
                b'{"a":[{"b":1}]}',
                b"json=",
                b"xml=%3Ca%3E",
                b"json=%7B%22eventNotifications%22%3A1%7D",
            ]
        ),
    ),
)
def test_junk_is_refused_or_means_nothing(
    kind: str, method: str, query: list[tuple[str, str]], headers: dict[str, str], body: bytes
) -> None:
    carrier = carrier_of(kind, "http://127.0.0.1:1", Paper())
    with suppress(HookRefused):
        heard = carrier.hear(Hook(method, "https://gw.example.com/cb", query, CIMultiDict(headers), body))
        assert all(isinstance(each, (Receipt, Mo)) for each in heard)


@every
def test_no_secret_shows_in_a_repr(kind: str) -> None:
    shown = repr(settings_of(kind, "http://127.0.0.1:1"))
    for key, value in CASES[kind].keys.items():
        if any(word in key for word in CREDENTIALS):
            assert str(value) not in shown


@every
def test_what_it_can_do_is_said(kind: str) -> None:
    capabilities = carrier_of(kind, "http://127.0.0.1:1", Paper()).capabilities
    assert capabilities.longest > 0
    assert capabilities.binary >= 0
