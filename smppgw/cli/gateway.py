"""The commands of who runs the gateway: `smppgw serve`, `check`, `console` and `hash-password`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from smppgw.cli.common import ConfigFile, Host, Port, client_tls, fail, refuse


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
        refuse(kannel[0] if kannel else config, error)
    raise typer.Exit(status)


def check(config: ConfigFile = Path("smppgw.toml")) -> None:
    """Check a config: every problem at once, each with its place and what to do."""
    from smppgw import show
    from smppgw.config import ConfigError, load, warnings

    try:
        settings = load(config)
    except ConfigError as error:
        refuse(config, error)
    console = show.terminal()
    if doubts := warnings(settings):
        show.problems(console, f"{config}: probably not meant", doubts, "yellow")
    show.config(console, settings)


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
        fail(options.wrong)
    raise typer.Exit(run(url, key, options, client_tls(ca, insecure=False) if url.startswith("https") else None))


def hash_password() -> None:
    """Make the `password_hash` of an account, from a prompt or from standard input."""
    from smppgw.config import PASSWORD
    from smppgw.passwords import hash_password

    if sys.stdin.isatty():
        text = str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    else:
        text = sys.stdin.readline().rstrip("\r\n")
    if not text:
        fail("there is no password")
    if len(text.encode()) > PASSWORD:
        print(
            f"SMPP passwords have at most {PASSWORD} octets; some peers will refuse to send this one", file=sys.stderr
        )
    print(hash_password(text))
