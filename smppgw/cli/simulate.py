"""The commands that stand in for the peers of a gateway: `smppgw simulate`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from smppgw.cli import carriers
from smppgw.cli.common import read, server_tls

Rate = Annotated[float, typer.Option(min=0, max=1)]

app = typer.Typer(help="Stand in for the peers of a gateway.", no_args_is_help=True)
for command in carriers.COMMANDS:
    app.command()(command)


@app.command()
def smsc(
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: a free one; it is printed.")] = 2775,
    name: Annotated[str, typer.Option(help="system_id in bind responses.")] = "SMSC",
    system_id: Annotated[str, typer.Option(help="Who may bind; anybody unless given.")] = "",
    password: Annotated[str, typer.Option(envvar="SMPPGW_PASSWORD", show_default=False, help="Any unless given.")] = "",
    window: Annotated[int, typer.Option(min=1, help="Unanswered deliver_sm on one link.")] = 100,
    receipts: Annotated[bool, typer.Option("--receipts/--no-receipts")] = True,
    receipt_delay: Annotated[float, typer.Option(min=0, help="Seconds from the submit to its receipt.")] = 0.0,
    receipt_jitter: Annotated[float, typer.Option(min=0, help="Up to so many seconds more.")] = 0.0,
    receipt_tlvs: Annotated[bool, typer.Option("--receipt-tlvs/--no-receipt-tlvs", help="Beside the text.")] = True,
    states: Annotated[str, typer.Option(help='Ends and their shares: "DELIVRD:0.9,UNDELIV:0.1".')] = "DELIVRD",
    error: Annotated[str, typer.Option(help='Refuse submits: "0x58:0.05,0x08:0.01".')] = "",
    throttle_above: Annotated[float, typer.Option(min=0, help="Submits a second; more get 0x58.")] = 0.0,
    id_form: Annotated[Literal["decimal", "hex", "string"], typer.Option()] = "decimal",
    receipt_id_form: Annotated[
        Literal["same", "decimal", "hex", "string"], typer.Option(help="Of the same id in receipts.")
    ] = "same",
    lost_receipts: Rate = 0.0,
    early_receipts: Annotated[float, typer.Option(min=0, max=1, help="Before the response that names their id.")] = 0.0,
    duplicate_receipts: Rate = 0.0,
    silent: Annotated[float, typer.Option(min=0, max=1, help="Submits that are never answered.")] = 0.0,
    slow: Annotated[float, typer.Option(min=0, help="Seconds from a submit to its response.")] = 0.0,
    flap: Annotated[float, typer.Option(min=0, help="Drop all links every so many seconds.")] = 0.0,
    down_after: Annotated[int, typer.Option(min=0, help="Go down after so many submits.")] = 0,
    down_for: Annotated[float, typer.Option(min=0, help="Come back after so many seconds; 0: at SIGUSR2.")] = 0.0,
    mo: Annotated[list[str] | None, typer.Option(help='A message from a mobile: "SRC>DST:text".')] = None,
    mo_every: Annotated[float, typer.Option(min=0, help="Send them again every so many seconds.")] = 0.0,
    keep: Annotated[int, typer.Option(min=1, help="Messages kept for query_sm, cancel_sm and replace_sm.")] = 100_000,
    seed: Annotated[int | None, typer.Option(help="The same chances every time.")] = None,
    tls_certificate: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="Listen with TLS.")] = None,
    tls_key: Annotated[Path | None, typer.Option(exists=True, dir_okay=False)] = None,
    tls_client_ca: Annotated[Path | None, typer.Option(exists=True, help="Ask for a client certificate.")] = None,
    stats_json: Annotated[
        Path | None, typer.Option(help="Write the counters here every second and at the end.")
    ] = None,
    dump: Annotated[Path | None, typer.Option(help="Write every destination here at the end.")] = None,
) -> None:
    """An SMSC that behaves as well or as badly as it is told.

    SIGUSR1 prints the counters as a line of JSON, as does the end; SIGUSR2 takes it down (links cut, port closed,
    messages and receipts kept) and brings it back.
    """
    from smppgw.simulate.options import Options, parse_errors, parse_mo, parse_states
    from smppgw.simulate.run import run

    options = Options(
        host=host, port=port, name=name, system_id=system_id, password=password, window=window, receipts=receipts,
        receipt_delay=receipt_delay, receipt_jitter=receipt_jitter, receipt_tlvs=receipt_tlvs,
        states=read("--states", parse_states, states), errors=read("--error", parse_errors, error),
        throttle_above=throttle_above, id_form=id_form,
        receipt_id_form=None if receipt_id_form == "same" else receipt_id_form,
        lost_receipts=lost_receipts, early_receipts=early_receipts, duplicate_receipts=duplicate_receipts,
        silent=silent, slow=slow, flap=flap, down_after=down_after, down_for=down_for,
        mo=tuple(read("--mo", parse_mo, text) for text in mo or ()), mo_every=mo_every, keep=keep, seed=seed,
        tls=server_tls(tls_certificate, tls_key, tls_client_ca) if tls_certificate else None,
    )  # fmt: skip
    raise typer.Exit(run(options, stats_json, dump))
