"""What the commands share: options, and how they refuse what they were given."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

if TYPE_CHECKING:
    import ssl

T = TypeVar("T")
BAD_USE = 2
"""Exit status: the config or the command is wrong, and nothing was done."""

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


def read(option: str, how: Callable[[Any], T], text: Any) -> T:
    """What an option means; one that means nothing is refused with the reason."""
    try:
        return how(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def refuse(path: Path, error: Any) -> NoReturn:
    """Show what is wrong with a config, and end."""
    from smppgw import show

    count = len(error.problems)
    title = f"{path}: {count} problem{'s' if count > 1 else ''}"
    show.problems(show.terminal(stderr=True), title, error.problems)
    raise typer.Exit(BAD_USE) from None


def fail(reason: str) -> NoReturn:
    print(reason, file=sys.stderr)
    raise typer.Exit(BAD_USE) from None


def client_tls(ca: Path | None, insecure: bool) -> "ssl.SSLContext":
    import ssl

    context = _tls(lambda: ssl.create_default_context(cafile=ca), "--tls-ca")
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def server_tls(certificate: Path, key: Path | None, client_ca: Path | None) -> "ssl.SSLContext":
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
