"""The commands that stand in for HTTPS carriers: `smppgw simulate aix`, `kddi`, `vonage` and `twilio`."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any, Literal

import typer


def carrier_options(
    *,
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: a free one; it is printed.")] = 8080,
    webhook: Annotated[str, typer.Option(help="URL of notifications where a request names none.")] = "",
    receipt_after: Annotated[
        float, typer.Option(help="Seconds from acceptance to the final notification; negative: never.")
    ] = 0.1,
    undelivered: Annotated[float, typer.Option(min=0, max=1, help="Messages that are not delivered.")] = 0.0,
    hang: Annotated[float, typer.Option(min=0, max=1, help="Sends that get no reply.")] = 0.0,
    reset: Annotated[float, typer.Option(min=0, max=1, help="Sends whose connection is cut.")] = 0.0,
    error: Annotated[float, typer.Option(min=0, max=1, help="Sends answered with status 500.")] = 0.0,
    throttle: Annotated[float, typer.Option(min=0, max=1, help="Sends answered with status 429.")] = 0.0,
    garbage: Annotated[float, typer.Option(min=0, max=1, help="Sends answered with a page of HTML.")] = 0.0,
    redirect: Annotated[float, typer.Option(min=0, max=1, help="Sends answered with status 302.")] = 0.0,
    accept_and_hang: Annotated[float, typer.Option(min=0, max=1, help="Sends accepted without a reply.")] = 0.0,
    slow: Annotated[float, typer.Option(min=0, help="Seconds before each reply.")] = 0.0,
    lost: Annotated[float, typer.Option(min=0, max=1, help="Notifications never sent.")] = 0.0,
    repeated: Annotated[float, typer.Option(min=0, max=1, help="Notifications sent twice.")] = 0.0,
    early: Annotated[float, typer.Option(min=0, max=1, help="Notifications sent before the reply.")] = 0.0,
    seed: Annotated[int | None, typer.Option(help="The same chances every time.")] = None,
) -> None:
    """Not a command: the options that all simulated carriers have. See `of_carriers`."""


def of_carriers(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that all simulated carriers have; it gets their values as its first argument, a dict
    of arguments for its CarrierOptions.

        @of_carriers
        def example(shared: dict[str, Any], api_key: Annotated[str, typer.Option(help="...")] = "k") -> None:
            from smppgw.simulate.carrier_run import run
            from smppgw.simulate.example import Example, ExampleOptions

            raise typer.Exit(run(lambda: Example(ExampleOptions(**shared, api_key=api_key))))
    """
    shared = list(inspect.signature(carrier_options).parameters.values())
    own = list(inspect.signature(command).parameters.values())[1:]

    def run(**given: Any) -> None:
        values = {parameter.name: given.pop(parameter.name) for parameter in shared}
        command(values, **given)

    parameters = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in [*own, *shared]]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    run.__doc__, run.__name__ = command.__doc__, command.__name__
    return run


@of_carriers
def aix(
    shared: dict[str, Any],
    token: Annotated[str, typer.Option(help="Who may send.")] = "0123456789abcdef0123456789abcdef",  # noqa: S107  made up
    client_id: Annotated[str, typer.Option(help="Whose token it is.")] = "1234",
    sms_code: Annotated[str, typer.Option(help="The sender.")] = "12345",
    dlr: Annotated[Literal["json", "xml"], typer.Option(help="How it writes notifications.")] = "json",
    quota: Annotated[int, typer.Option(min=0, help="Messages until code 300; 0: any number.")] = 0,
    system_error: Annotated[float, typer.Option(min=0, max=1, help="Sends refused with code 500.")] = 0.0,
) -> None:
    """The HTTPS API of AIX, in all its generations: a client tag is accepted once."""
    from smppgw.simulate.aix import AixOptions, AixSimulator
    from smppgw.simulate.carrier_run import run

    options = AixOptions(
        **shared, token=token, client_id=client_id, sms_code=sms_code, dlr=dlr, quota=quota, system_error=system_error
    )
    raise typer.Exit(run(lambda: AixSimulator(options)))


@of_carriers
def kddi(
    shared: dict[str, Any],
    user: Annotated[str, typer.Option(help="Who may send.")] = "testUser",
    password: Annotated[str, typer.Option(help="Its password.")] = "testPass",  # noqa: S107  made up
    aggid: Annotated[str, typer.Option(help="The first part of the path.")] = "au",
    bot_id: Annotated[str, typer.Option(help="The account.")] = "bot1",
    number: Annotated[list[str] | None, typer.Option(help="A number to send from; any unless given.")] = None,
    token: Annotated[
        list[str] | None, typer.Option(help="Three of them, of au, docomo and SoftBank: a +message account.")
    ] = None,
    longest: Annotated[int, typer.Option(min=1, help="Characters of an SMS.")] = 670,
    throttle_above: Annotated[float, typer.Option(min=0, help="Sends a second; more get 503.")] = 0.0,
    concurrent: Annotated[int, typer.Option(min=0, help="Sends at a time; more get 503. 0: any number.")] = 0,
    bad_gateway: Annotated[float, typer.Option(min=0, max=1, help="Sends accepted, but answered with 502.")] = 0.0,
    gateway_timeout: Annotated[float, typer.Option(min=0, max=1, help="Sends answered with 504.")] = 0.0,
    capable: Annotated[float, typer.Option(min=0, max=1, help="Handsets that have +message.")] = 1.0,
    failed: Annotated[str, typer.Option(help="The status of an SMS that is not delivered.")] = "failed",
    check_encoding: Annotated[bool, typer.Option(help="Refuse a smsTextEnc that is not the smsText.")] = True,
) -> None:
    """KDDI Message Cast: SMS and +message, with notifications that must be answered within 500 ms."""
    from smppgw.simulate.carrier_run import run
    from smppgw.simulate.kddi import KddiOptions, KddiSimulator

    if token and len(token) != 3:
        raise typer.BadParameter("three are needed: au's, docomo's and SoftBank's", param_hint="--token")
    options = KddiOptions(
        **shared, user=user, password=password, aggid=aggid, bot_id=bot_id, numbers=tuple(number or ()),
        tokens=tuple(token or ()), longest=longest, throttle_above=throttle_above, concurrent=concurrent,
        bad_gateway=bad_gateway, gateway_timeout=gateway_timeout, capable=capable, failed=failed,
        check_encoding=check_encoding,
    )  # fmt: skip
    raise typer.Exit(run(lambda: KddiSimulator(options)))


@of_carriers
def vonage(
    shared: dict[str, Any],
    api_key: Annotated[str, typer.Option(help="Who may send.")] = "abcd1234",
    api_secret: Annotated[str, typer.Option(help="Its secret.")] = "abcdef0123456789",  # noqa: S107  made up
    signature_secret: Annotated[str, typer.Option(help="Takes signed requests too.")] = "",
    signature_method: Annotated[Literal["md5hash", "md5", "sha1", "sha256", "sha512"], typer.Option()] = "md5hash",
    sign_webhooks: Annotated[bool, typer.Option("--sign-webhooks", help="With --signature-secret.")] = False,
    webhook_by: Annotated[Literal["get", "form", "json"], typer.Option(help="How it calls the webhook.")] = "get",
    throttled: Annotated[float, typer.Option(min=0, max=1, help="Sends refused with status 1.")] = 0.0,
    throttle_above: Annotated[float, typer.Option(min=0, help="Requests a second; more get status 1.")] = 0.0,
    partial: Annotated[float, typer.Option(min=0, max=1, help="Long texts whose last part is refused.")] = 0.0,
    quota: Annotated[int, typer.Option(min=0, help="Parts until status 9; 0: any number.")] = 0,
    barred: Annotated[str, typer.Option(help="A destination refused with status 7.")] = "",
) -> None:
    """The SMS REST API of Vonage: an id and a receipt for each part of a text."""
    from smppgw.simulate.carrier_run import run
    from smppgw.simulate.vonage import VonageOptions, VonageSimulator

    if sign_webhooks and not signature_secret:
        raise typer.BadParameter("needs --signature-secret", param_hint="--sign-webhooks")
    options = VonageOptions(
        **shared, api_key=api_key, api_secret=api_secret, signature_secret=signature_secret,
        signature_method=signature_method, sign_webhooks=sign_webhooks, webhook_by=webhook_by, throttled=throttled,
        throttle_above=throttle_above, partial=partial, quota=quota, barred=barred,
    )  # fmt: skip
    raise typer.Exit(run(lambda: VonageSimulator(options)))


@of_carriers
def twilio(
    shared: dict[str, Any],
    account_sid: Annotated[str, typer.Option(help="Who may send.")] = "AC" + "a" * 32,
    auth_token: Annotated[str, typer.Option(help="Its token; notifications are signed with it.")] = "12345",  # noqa: S107  made up
    service: Annotated[list[str] | None, typer.Option(help="A messaging service; any unless given.")] = None,
    number: Annotated[list[str] | None, typer.Option(help="What messaging services send from.")] = None,
    sim: Annotated[list[str] | None, typer.Option(help="A SIM, by its sid; any unless given.")] = None,
    progress: Annotated[float, typer.Option(min=0, max=1, help='Messages whose status "sent" is notified.')] = 1.0,
    error_code: Annotated[str, typer.Option(help="Of messages that are not delivered.")] = "30003",
    commands_webhook: Annotated[str, typer.Option(help="URL of Commands from SIMs; else --webhook.")] = "",
    commands_method: Annotated[Literal["POST", "GET"], typer.Option(help="How it is called.")] = "POST",
) -> None:
    """Twilio's Messages and wireless Commands, with signed notifications."""
    from smppgw.simulate.carrier_run import run
    from smppgw.simulate.twilio import TwilioSimulator
    from smppgw.simulate.twilio_account import TwilioOptions

    options = TwilioOptions(
        **shared, account_sid=account_sid, auth_token=auth_token, services=tuple(service or ()),
        numbers=tuple(number or ("+15017122661",)), sims=tuple(sim or ()), progress=progress, error_code=error_code,
        commands_webhook=commands_webhook, commands_method=commands_method,
    )  # fmt: skip
    raise typer.Exit(run(lambda: TwilioSimulator(options)))


COMMANDS: tuple[Callable[..., None], ...] = (aix, kddi, vonage, twilio)
