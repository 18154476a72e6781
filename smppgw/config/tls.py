"""Whether certificates, keys and CAs can be used."""

import ssl
from collections.abc import Iterator

from smppgw.config.model import Config
from smppgw.config.places import Numbers, placed
from smppgw.config.problems import Problem


def check_tls(config: Config, numbers: Numbers) -> Iterator[Problem]:
    for path, listener in placed("listeners", config.listeners, numbers):
        yield from check_pair(path, listener.tls_certificate, listener.tls_key)
        yield from _check_ca(f"{path}.tls_client_ca", listener.tls_client_ca)
        if listener.tls_client_ca is not None and listener.tls_certificate is None:
            yield Problem(f"{path}.tls_client_ca", "this listener speaks no TLS", "add tls_certificate and tls_key")
    yield from check_pair("webhooks", config.webhooks.tls_certificate, config.webhooks.tls_key)
    for name, each in config.connectors.items():
        path = f"connectors.{name}"
        yield from check_pair(path, each.tls_certificate, each.tls_key)
        yield from _check_ca(f"{path}.tls_ca", each.tls_ca)
    for name, connector in config.smpp.items():
        path = f"connectors.{name}"
        for key in ("tls_ca", "tls_certificate", "tls_key", "tls_name"):
            if getattr(connector, key) is not None and not connector.tls:
                yield Problem(f"{path}.{key}", "this connector speaks no TLS", "add tls = true")


def check_pair(path: str, certificate: str | None, key: str | None) -> Iterator[Problem]:
    if certificate is None and key is None:
        return
    if certificate is None or key is None:
        given, absent = ("tls_key", "tls_certificate") if certificate is None else ("tls_certificate", "tls_key")
        yield Problem(f"{path}.{given}", f"{absent} is missing", "give both")
        return
    unread = [*_unreadable(f"{path}.tls_certificate", certificate), *_unreadable(f"{path}.tls_key", key)]
    yield from unread
    if unread:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, lambda: "")
    except (ssl.SSLError, ValueError) as error:
        reason = getattr(error, "reason", None) or str(error)
        fix = "PEM files: the certificate with its chain, and its key without a passphrase"
        yield Problem(f"{path}.tls_certificate", f"it and its key cannot be used: {reason}", fix)


def _check_ca(path: str, file: str | None) -> Iterator[Problem]:
    if file is None:
        return
    unread = list(_unreadable(path, file))
    yield from unread
    if unread:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
    except (ssl.SSLError, ValueError) as error:
        yield Problem(path, f"{file} cannot be used: {getattr(error, 'reason', None)}", "certificates in PEM form")


def _unreadable(path: str, file: str) -> Iterator[Problem]:
    try:
        with open(file, "rb") as opened:
            opened.read(1)
    except OSError as error:
        yield Problem(path, f"{file} cannot be read: {error.strerror}", "an existing, readable file")
