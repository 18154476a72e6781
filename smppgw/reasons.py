"""What a connection or port that cannot be had means, in words for the person who has to mend it."""

import os
import socket
import ssl

_NO_TLS = {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNEXPECTED_EOF_WHILE_READING", "HTTP_REQUEST"}
"""What OpenSSL makes of a peer that speaks something else."""


def why(error: OSError) -> str:
    """Without numbers of errors, and without the names of OpenSSL's functions."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate verify failed: {error.verify_message.rstrip('.')}"
    if isinstance(error, ssl.SSLError):
        reason = error.reason or str(error)
        return "the peer does not speak TLS" if reason in _NO_TLS else f"TLS failed: {reason}"
    if isinstance(error, socket.gaierror):
        return f"no address has this name ({error.strerror})"
    if error.errno is not None:
        return os.strerror(error.errno).lower()
    return str(error) or type(error).__name__


def beneath(error: Exception) -> OSError | None:
    """The error of the system that is inside one of aiohttp's, or the error itself."""
    inner = getattr(error, "os_error", error)
    return inner if isinstance(inner, OSError) else None
