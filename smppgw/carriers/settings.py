"""The keys that all HTTPS carriers of the config have in common."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, Strict

from smppgw import values
from smppgw.settings import (
    Count,
    Delays,
    Duration,
    Model,
    Network,
    Positive,
    Rate,
    Window,
)

Verdicts = dict[str, Literal["sent", "later", "never", "doubt"]]
"""By the carrier's own code, or "http 503"."""


class CarrierSettings(Model):
    """A subclass adds `kind`, with its name as the only value, what its API asks for, and a default of `url`."""

    name: str
    kind: str
    url: Annotated[str, Field(pattern=r"^https?://[^/?#]+[^?#]*$"), AfterValidator(values.asked)]
    """Where the API is; "http://" is for simulators."""
    tls_ca: str | None = None
    tls_certificate: str | None = None
    tls_key: str | None = None
    connect: Positive = 5.0
    response: Positive = 15.0
    idle: Positive = 10.0
    window: Window = 50
    rate: Rate = 0.0
    burst: Rate = 0.0
    pause: Duration = 1.0
    retry: Delays = (5.0, 30.0, 120.0, 600.0)
    errors: Verdicts = Field(default_factory=dict)
    in_doubt: Literal["hold", "unknown", "resend_and_accept_duplicates"] = "hold"
    breaker_failures: Count = 5
    breaker_wait: Delays = (5.0, 15.0, 60.0)
    join_wait: Positive = 60.0
    incomplete: Literal["send", "refuse"] = "send"
    max_joining: Count = 10_000
    poll: Annotated[tuple[Positive, ...], Strict(False)] = ()
    poll_window: Window = 10
    poll_end: Literal["wait", "expired", "unknown"] = "wait"
    country_code: Annotated[str, Field(pattern=r"^[0-9]{0,3}$")] = ""
    national_prefix: Annotated[str, Field(pattern=r"^[0-9]{0,4}$")] = ""
    mo_long: Literal["udh8", "udh16", "sar", "payload"] = "udh8"
    webhook_path: Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._~-]+)*$")] = ""
    webhook_url: Annotated[str, Field(pattern=r"^(https?://[^/?#]+[^#]*)?$")] = ""
    webhook_networks: Annotated[tuple[Network, ...], Strict(False)] = (
        values.network("0.0.0.0/0"),
        values.network("::/0"),
    )
    webhook_user: str = ""
    webhook_password: SecretStr = SecretStr("")
