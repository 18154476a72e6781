"""TLS contexts: 1.2 and newer, certificates verified."""

import ssl

from smppgw.settings import Connector, Listener


def for_listener(settings: Listener) -> ssl.SSLContext | None:
    """None for a listener without a certificate: plain TCP."""
    if settings.tls_certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    if settings.tls_client_ca is not None:
        context.load_verify_locations(settings.tls_client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def for_connector(settings: Connector) -> ssl.SSLContext | None:
    """None for a connector without TLS. The peer's certificate and name are always verified."""
    if not settings.tls:
        return None
    context = ssl.create_default_context(cafile=settings.tls_ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.tls_certificate is not None:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    return context
