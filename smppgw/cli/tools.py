"""The commands that make traffic: `smppgw send`, `load` and `demo`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from smppgw.cli.common import Host, Password, Port, SystemId, client_tls, read


def send(
    to: Annotated[str, typer.Option(help="Destination address.")],
    text: Annotated[str, typer.Option(help="What to say; long texts go in message_payload.")] = "hello from smppgw",
    sender: Annotated[str, typer.Option("--from", help="Source address.")] = "12345",
    host: Host = "127.0.0.1",
    port: Port = 2775,
    system_id: SystemId = "demo",
    password: Password = "",
    wait: Annotated[float, typer.Option(min=0, help="Seconds for its receipt; 0: ask for none.")] = 30.0,
) -> None:
    """Send one message with an independent client, and show its receipt."""
    from smppgw.send import Letter
    from smppgw.send import send as send_letter

    letter = Letter(host, port, system_id, password, sender, to, text, wait)
    raise typer.Exit(send_letter(letter))


def load(
    host: Host = "127.0.0.1",
    port: Port = 2775,
    system_id: SystemId = "test",
    password: Password = "test",  # noqa: S107  what every test tool uses
    binds: Annotated[int, typer.Option(min=1, help="Links that submit.")] = 1,
    bind: Annotated[Literal["trx", "tx+rx"], typer.Option(help="One link for both ways, or two.")] = "trx",
    window: Annotated[int, typer.Option(min=1, help="Unanswered submits on one link.")] = 100,
    rate: Annotated[float, typer.Option(min=0, help="Submits a second over all links; 0: as fast as may be.")] = 0.0,
    count: Annotated[int, typer.Option(min=0, help="Messages; 10000 unless --seconds is given.")] = 0,
    seconds: Annotated[float, typer.Option(min=0, help="Send for so long.")] = 0.0,
    text_lengths: Annotated[str, typer.Option(help='Characters and their shares: "20:0.5,140:0.3,300:0.2".')] = "40",
    codings: Annotated[
        str, typer.Option(help='gsm, latin1, ucs2, binary and their shares: "gsm:0.8,ucs2:0.2".')
    ] = "gsm",
    receipts: Annotated[
        bool, typer.Option("--receipts/--no-receipts", help="Ask for receipts, and match them.")
    ] = True,
    receipt_timeout: Annotated[float, typer.Option(min=0, help="Wait so long after the last one.")] = 30.0,
    response_timeout: Annotated[float, typer.Option(min=0.1)] = 30.0,
    reconnect: Annotated[bool, typer.Option("--reconnect", help="Bind again what drops, and go on.")] = False,
    tls: Annotated[bool, typer.Option("--tls", help="With the system's authorities, or --tls-ca.")] = False,
    tls_ca: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="Trust these certificates.")] = None,
    tls_insecure: Annotated[bool, typer.Option("--tls-insecure", help="Take any certificate.")] = False,
    source: Annotated[str, typer.Option(help="Source address.")] = "12345",
    prefix: Annotated[str, typer.Option(help="Destinations are this and eight digits, all different.")] = "4479",
    start: Annotated[int, typer.Option(min=0, help="The first of those.")] = 0,
    seed: Annotated[int, typer.Option(help="Of the order of lengths and codings.")] = 1,
    json: Annotated[Path | None, typer.Option(help="Write the figures here.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw them here, as one HTML page.")] = None,
) -> None:
    """Make load, match every receipt, and report. Exit status 1 when anything was lost or is still to come."""
    from smppgw.load.plan import Plan, parse_lengths, templates
    from smppgw.load.run import run
    from smppgw.mix import parse_mix

    plan = Plan(
        host=host, port=port, system_id=system_id, password=password, binds=binds, bind=bind, window=window, rate=rate,
        count=count or (0 if seconds else 10_000), seconds=seconds,
        lengths=read("--text-lengths", parse_lengths, text_lengths), codings=read("--codings", parse_mix, codings),
        receipts=receipts, receipt_timeout=receipt_timeout, response_timeout=response_timeout, reconnect=reconnect,
        tls=client_tls(tls_ca, tls_insecure) if tls or tls_ca or tls_insecure else None,
        source=source, prefix=prefix, start=start, seed=seed,
    )  # fmt: skip
    read("--text-lengths, --codings or --prefix", templates, plan)
    raise typer.Exit(run(plan, json, plot))


def demo(
    seconds: Annotated[float, typer.Option(min=5, help="How long, about.")] = 60.0,
    rate: Annotated[float, typer.Option(min=1, help="Messages a second.")] = 200.0,
    carriers: Annotated[bool, typer.Option("--carriers", help="HTTPS carriers instead: AIX behind a cluster.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave its files for a look.")] = False,
) -> None:
    """Simulated SMSCs, a gateway and an ESME, on this machine: fail over, hand back, kill -9; nothing lost."""
    from smppgw.demo import failover, https
    from smppgw.demo.story import run

    raise typer.Exit(run(seconds, rate, https.show if carriers else failover.show, keep=keep))
