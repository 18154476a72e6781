# ruff: noqa: PLC0415  --help is to be quick
"""The command line. What a command needs is imported when it runs, so that --help is quick."""

import json as json_
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn, TypeVar

import typer

from smppgw import __version__, cli_api, cli_carriers

if TYPE_CHECKING:
    import ssl

T = TypeVar("T")
BAD_USE = 2
"""Exit status: the config or the command is wrong, and nothing was done."""

app = typer.Typer(
    name="smppgw",
    help="A store-and-forward SMPP 3.4 gateway that never forgets an acknowledged message.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # passwords may be among them
    context_settings={"help_option_names": ["-h", "--help"]},
)
simulate = typer.Typer(help="Stand in for the peers of a gateway.", no_args_is_help=True)
store = typer.Typer(help="Look into the data directory, also while the gateway runs.", no_args_is_help=True)
app.add_typer(simulate, name="simulate")
app.add_typer(store, name="store")
cli_api.add(app)
cli_carriers.add(simulate)

ConfigFile = Annotated[
    Path,
    typer.Option("--config", "-c", envvar="SMPPGW_CONFIG", help="The TOML file; conf/smppgw.toml shows every key."),
]
Host = Annotated[str, typer.Option(help="Host name or address.")]
Port = Annotated[int, typer.Option(min=1, max=65535)]
SystemId = Annotated[str, typer.Option(help="Who binds.")]
Password = Annotated[
    str,
    typer.Option(
        envvar="SMPPGW_PASSWORD",
        show_default=False,
        help="Better given in the environment: others on this machine can see options.",
    ),
]
Seconds = Annotated[float, typer.Option(min=0)]
Rate = Annotated[float, typer.Option(min=0, max=1)]
Data = Annotated[
    Path, typer.Option("--path", "--data", "-p", help="The data directory: `path` of the store in the config.")
]
Json = Annotated[bool, typer.Option("--json", help="For machines.")]


def main() -> None:
    """The `smppgw` command."""
    app()


def _version(wanted: bool) -> None:
    if wanted:
        print(f"smppgw {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


@app.command()
def serve(
    config: ConfigFile = Path("smppgw.toml"),
    kannel: Annotated[
        list[Path] | None,
        typer.Option(help="Run from Kannel's files instead: kannel.conf, and once more for opensmppbox.conf."),
    ] = None,
    data: Annotated[
        Path,
        typer.Option(
            envvar="SMPPGW_DATA", readable=False, help="With --kannel: the directory that messages are kept in."
        ),
    ] = Path("data"),
    allow_exec: Annotated[
        bool, typer.Option("--allow-exec", help="With --kannel: services may run programs, as exec says.")
    ] = False,
) -> None:
    """Run the gateway until SIGTERM. SIGHUP reads the config again, SIGUSR2 opens log files again."""
    from smppgw.app import run, run_kannel
    from smppgw.config import ConfigError
    from smppgw.kannel.conf import ConfError

    try:
        status = run_kannel(kannel, data, may_exec=allow_exec) if kannel else run(config)
    except (ConfigError, ConfError) as error:
        _refuse(kannel[0] if kannel else config, error)
    raise typer.Exit(status)


@app.command()
def check(config: ConfigFile = Path("smppgw.toml")) -> None:
    """Check a config: every problem at once, each with its place and what to do."""
    from smppgw import show
    from smppgw.config import ConfigError, load, warnings

    try:
        settings = load(config)
    except ConfigError as error:
        _refuse(config, error)
    console = show.terminal()
    if doubts := warnings(settings):
        show.problems(console, f"{config}: probably not meant", doubts, "yellow")
    show.config(console, settings)


@app.command()
def console(
    url: Annotated[
        str, typer.Option(envvar="SMPPGW_URL", help="Where the gateway's API is: `api` in its config.")
    ] = "http://127.0.0.1:8080",
    key: Annotated[
        str,
        typer.Option(
            envvar="SMPPGW_KEY", show_default=False, help="An API key of it; better given in the environment."
        ),
    ] = "",
    port: Port = 8090,
    host: Host = "127.0.0.1",
    name: Annotated[
        list[str] | None, typer.Option(help="A host name that browsers reach it by; may be given several times.")
    ] = None,
    password: Annotated[
        str,
        typer.Option(
            envvar="SMPPGW_CONSOLE_PASSWORD",
            show_default=False,
            help="Asked of every browser; needed unless it is for this machine only. Better given in the environment.",
        ),
    ] = "",
    https: Annotated[bool, typer.Option("--https", help="Browsers reach it by https, at a proxy before it.")] = False,
    ca: Annotated[Path | None, typer.Option("--tls-ca", help="Certificates that the API's is checked with.")] = None,
) -> None:
    """What the gateway does, in a browser: rates, links, messages, dead letters. It reads the admin API."""
    from smppgw.console.run import run
    from smppgw.console.server import Options

    options = Options(host, port, password, tuple(name or ()), https)
    if options.wrong:
        _fail(options.wrong)
    raise typer.Exit(run(url, key, options, _client_tls(ca, insecure=False) if url.startswith("https") else None))


@app.command("hash-password")
def hash_password() -> None:
    """Make the `password_hash` of an account, from a prompt or from standard input."""
    from smppgw.config import PASSWORD
    from smppgw.passwords import hash_password

    if sys.stdin.isatty():
        text = str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    else:
        text = sys.stdin.readline().rstrip("\r\n")
    if not text:
        _fail("there is no password")
    if len(text.encode()) > PASSWORD:
        print(
            f"SMPP passwords have at most {PASSWORD} octets; some peers will refuse to send this one", file=sys.stderr
        )
    print(hash_password(text))


@app.command("import-kannel")
def import_kannel(
    files: Annotated[list[Path], typer.Argument(help="kannel.conf, and opensmppbox.conf where there is one.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the TOML here.")] = None,
) -> None:
    """Write the config that does what a Kannel set-up does; what has no equivalent is listed on standard error."""
    from smppgw.kannel.conf import ConfError, load
    from smppgw.kannel.importer import convert

    try:
        found = convert(load(*files))
    except ConfError as error:
        _refuse(files[0], error)
    for problem in found.lost:
        print(problem, file=sys.stderr)
    text = f"# Imported from {', '.join(map(str, files))}; conf/smppgw.toml shows every key.\n\n{found.text}"
    if output is None:
        print(text, end="")
        return
    try:
        output.touch(mode=0o600)  # there are passwords in it
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        _fail(f"{output} cannot be written: {error.strerror}")


@app.command("import-dlr")
def import_dlr(
    files: Annotated[list[Path], typer.Argument(help="kannel.conf, with its dlr-db and connection.")],
    data: Annotated[Path, typer.Option(envvar="SMPPGW_DATA", help="The directory that messages are kept in.")] = Path(
        "data"
    ),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be taken, and write nothing.")] = False,
) -> None:
    """Take over what a stopped Kannel waits for: receipts of messages that it sent are told to their dlr-url by us.

    The gateway must be stopped, too. Done twice, nothing is there twice."""
    from smppgw.kannel import dlr_import
    from smppgw.kannel.conf import ConfError
    from smppgw.kannel.dlr_storage import DlrStorageError
    from smppgw.store.contract import StoreError

    try:
        outcome = dlr_import.run(files, data, dry=dry_run)
    except ConfError as error:
        _refuse(files[0], error)
    except (DlrStorageError, StoreError) as error:
        _fail(str(error))
    for reason, count in sorted(outcome.left.items()):
        print(f"{count} left out: {reason}", file=sys.stderr)
    print(f"{outcome.found} found, {outcome.known} known, {outcome.taken} {'to take' if dry_run else 'taken'}")


@app.command()
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


@app.command()
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
        lengths=_read("--text-lengths", parse_lengths, text_lengths), codings=_read("--codings", parse_mix, codings),
        receipts=receipts, receipt_timeout=receipt_timeout, response_timeout=response_timeout, reconnect=reconnect,
        tls=_client_tls(tls_ca, tls_insecure) if tls or tls_ca or tls_insecure else None,
        source=source, prefix=prefix, start=start, seed=seed,
    )  # fmt: skip
    _read("--text-lengths, --codings or --prefix", templates, plan)
    raise typer.Exit(run(plan, json, plot))


@simulate.command("smsc")
def simulate_smsc(
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
        states=_read("--states", parse_states, states), errors=_read("--error", parse_errors, error),
        throttle_above=throttle_above, id_form=id_form,
        receipt_id_form=None if receipt_id_form == "same" else receipt_id_form,
        lost_receipts=lost_receipts, early_receipts=early_receipts, duplicate_receipts=duplicate_receipts,
        silent=silent, slow=slow, flap=flap, down_after=down_after, down_for=down_for,
        mo=tuple(_read("--mo", parse_mo, text) for text in mo or ()), mo_every=mo_every, keep=keep, seed=seed,
        tls=_server_tls(tls_certificate, tls_key, tls_client_ca) if tls_certificate else None,
    )  # fmt: skip
    raise typer.Exit(run(options, stats_json, dump))


@app.command()
def carrier(
    connector: Annotated[str, typer.Argument(help="An HTTPS carrier of the config.")],
    operation: Annotated[str, typer.Argument(show_default=False, help="Without it they are listed.")] = "",
    arguments: Annotated[list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="What it needs.")] = None,
    config: ConfigFile = Path("smppgw.toml"),
) -> None:
    """Ask an HTTPS carrier something, straight at its API: statuses, lists, capabilities; the reply is JSON."""
    from smppgw.carriers import console
    from smppgw.config import ConfigError, load
    from smppgw.log import configure

    try:
        settings = load(config)
    except ConfigError as error:
        _refuse(config, error)
    configure("warning", "console")
    try:
        carrier = console.connector(settings, connector)
        if operation:
            print(console.ask(carrier, operation, arguments or ()))
        else:
            print(*console.listing(carrier), sep="\n")
    except ValueError as error:  # values.Wrong among them
        _fail(str(error))
    except console.Failed as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from None


@store.command("check")
def store_check(path: Data = Path("data"), json: Json = False) -> None:
    """Decode every record. Exit status 1 when one is broken."""
    from smppgw import show
    from smppgw.store import tool

    found = _store(tool.check, path)
    if json:
        print(json_.dumps(asdict(found)))
    else:
        show.report(show.terminal(), found)
    raise typer.Exit(1 if found.broken else 0)


@store.command("stats")
def store_stats(path: Data = Path("data"), json: Json = False) -> None:
    """How many messages of which account are where, and how old."""
    from smppgw import show
    from smppgw.store import tool

    found = _store(tool.stats, path)
    if json:
        print(json_.dumps(asdict(found)))
    else:
        show.stats(show.terminal(), found)


@store.command("list")
def store_list(
    path: Data = Path("data"),
    kind: Annotated[str | None, typer.Option(help="queued, waiting, delivery or set_aside.")] = None,
    account: Annotated[str | None, typer.Option(help="Of this account only.")] = None,
    limit: Annotated[int, typer.Option(min=1)] = 100,
    json: Annotated[bool, typer.Option("--json", help="A line of JSON for each.")] = False,
) -> None:
    """The oldest records first, without their texts."""
    from smppgw import show
    from smppgw.store import tool

    found = _store(lambda where: list(tool.entries(where, kind, account, limit)), path)
    if json:
        for entry in found:
            print(json_.dumps(asdict(entry)))
    else:
        show.entries(show.terminal(), found)


@app.command()
def trace(
    what: Annotated[str, typer.Argument(help="Our message id, an upstream's, or a number.", metavar="ID|NUMBER")],
    config: ConfigFile = Path("smppgw.toml"),
    account: Annotated[str, typer.Option(help="Of this account only.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Messages at most, the newest first.")] = 20,
    json: Annotated[bool, typer.Option("--json", help="A line of JSON for each message.")] = False,
) -> None:
    """What happened to a message, by the history; the gateway need not run."""
    from smppgw.config import ConfigError, load
    from smppgw.history.engines import HistoryError
    from smppgw.history.trace import trace as look

    try:
        found = look(load(config).history, what, account, limit)
    except ConfigError as error:
        _refuse(config, error)
    except HistoryError as error:
        _fail(str(error))
    if not found:
        _fail(f"history knows no message of {what}")
    for number, message in enumerate(found):
        if json:
            print(json_.dumps(message.shown()))
        else:
            print(*([""] if number else []), *message.lines(), sep="\n")


@app.command()
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


def _read(option: str, read: Callable[[Any], T], text: Any) -> T:
    """What an option means; one that means nothing is refused with the reason."""
    try:
        return read(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def _store(what: Callable[[Path], T], path: Path) -> T:
    from smppgw.store.contract import StoreError

    try:
        return what(path)
    except StoreError as error:
        _fail(str(error))


def _refuse(path: Path, error: Any) -> NoReturn:
    """Show what is wrong with a config, and end."""
    from smppgw import show

    count = len(error.problems)
    title = f"{path}: {count} problem{'s' if count > 1 else ''}"
    show.problems(show.terminal(stderr=True), title, error.problems)
    raise typer.Exit(BAD_USE) from None


def _fail(reason: str) -> NoReturn:
    print(reason, file=sys.stderr)
    raise typer.Exit(BAD_USE) from None


def _client_tls(ca: Path | None, insecure: bool) -> "ssl.SSLContext":
    import ssl

    context = _tls(lambda: ssl.create_default_context(cafile=ca), "--tls-ca")
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _server_tls(certificate: Path, key: Path | None, client_ca: Path | None) -> "ssl.SSLContext":
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _tls(lambda: context.load_cert_chain(certificate, key), "--tls-certificate")
    if client_ca is not None:
        _tls(lambda: context.load_verify_locations(client_ca), "--tls-client-ca")
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _tls(load: Callable[[], T], option: str) -> T:
    try:
        return load()
    except OSError as error:
        raise typer.BadParameter(f"cannot be used: {error}", param_hint=option) from None


if __name__ == "__main__":
    main()
