"""TLS contexts: 1.2 and newer, certificates verified."""

import ssl
from typing import Protocol

from smppgw.settings import Connector, Listener


class Serving(Protocol):
    """What is read of whoever listens."""

    @property
    def tls_certificate(self) -> str | None: ...
    @property
    def tls_key(self) -> str | None: ...


class Asking(Serving, Protocol):
    """What is read of whoever connects: our own certificate, and whose to trust."""

    @property
    def tls_ca(self) -> str | None: ...


def for_server(settings: Serving) -> ssl.SSLContext | None:
    """None without a certificate: plain TCP."""
    if settings.tls_certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    return context


def for_listener(settings: Listener) -> ssl.SSLContext | None:
    """As `for_server`, and the certificates of clients are verified where the config names an authority."""
    context = for_server(settings)
    if context is not None and settings.tls_client_ca is not None:
        context.load_verify_locations(settings.tls_client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def for_connector(settings: Connector) -> ssl.SSLContext | None:
    """None for a connector without TLS. The peer's certificate and name are always verified."""
    return for_client(settings) if settings.tls else None


def for_client(settings: Asking) -> ssl.SSLContext:
    """Verifies the peer's certificate and name."""
    context = ssl.create_default_context(cafile=settings.tls_ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.tls_certificate is not None:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    return context
