"""The tables of conf/smppgw.toml as frozen models: their keys, defaults and limits."""

import re
from functools import partial
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, Strict

from protocol.consts import Status
from routing import carriers
from smppgw import passwords, values


def _one_or_more(value: object) -> object:
    return [value] if isinstance(value, (str, int)) else value


def _member(value: object) -> object:
    return {"connector": value} if isinstance(value, str) else value


def _hash(value: str | None) -> str | None:
    try:
        if value is not None:
            passwords.parse_hash(value)
    except ValueError:
        raise values.Wrong("it is no password hash", "make one with `smppgw hash-password`") from None
    return value


def _octets(limit: int) -> AfterValidator:
    return AfterValidator(partial(values.octets_within, limit))


Duration = Annotated[float, BeforeValidator(values.duration), Field(ge=0)]
Positive = Annotated[float, BeforeValidator(values.duration), Field(gt=0)]
Delays = Annotated[tuple[Duration, ...], Strict(False), Field(min_length=1)]
Size = Annotated[int, BeforeValidator(values.size)]
Count = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(ge=0)]
Window = Annotated[int, Field(ge=1, le=1_000_000)]
Port = Annotated[int, Field(ge=0, le=65535)]
Octet = Annotated[int, Field(ge=0, le=255)]
Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(values.network)]
Statuses = Annotated[frozenset[Annotated[int, BeforeValidator(values.status)]], Strict(False)]
Tag = Annotated[int, BeforeValidator(values.tag)]
Tlvs = dict[Tag, Annotated[bytes, BeforeValidator(values.tlv)]]
TlvPatterns = dict[Tag, Annotated[bytes | None, BeforeValidator(values.tlv_pattern)]]
Pattern = Annotated[str, BeforeValidator(values.pattern)]
Patterns = Annotated[tuple[Pattern, ...], Strict(False), BeforeValidator(_one_or_more)]
Words = Annotated[tuple[str, ...], Strict(False), BeforeValidator(_one_or_more)]
Octets = Annotated[tuple[Octet, ...], Strict(False), BeforeValidator(_one_or_more)]
Names = Annotated[tuple[str, ...], Strict(False)]
BindMode = Literal["transmitter", "receiver", "transceiver"]
Encoding = Literal["gsm0338", "latin1", "ascii"]
IdForm = Literal["auto", "string", "hex", "decimal"]
TonNpi = Annotated[int, Field(ge=-1, le=255)]


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True, allow_inf_nan=False)


class Gateway(Model):
    name: Annotated[str, _octets(15)] = "smppgw"
    node: Annotated[int, Field(ge=0, le=1023)] = 0
    in_doubt: Literal["resend", "hold"] = "resend"
    validity: Positive = 48 * 3600.0
    receipt_wait: Positive = 7 * 86400.0
    early_receipt_wait: Duration = 10.0
    max_early_receipts: Count = 10_000
    max_queued: Count = 1_000_000
    max_waiting: Count = 5_000_000
    upstream_ack_wait: Positive = 10.0
    drain: Duration = 10.0


class Listener(Model):
    host: str = "0.0.0.0"
    port: Port = 2775
    tls_certificate: str | None = None
    tls_key: str | None = None
    tls_client_ca: str | None = None


class Limits(Model):
    max_pdu: Annotated[Size, Field(ge=512, le=16 << 20)] = 65536
    links: Count = 20_000
    links_per_address: Count = 1000
    unbound_links: Count = 1000
    output_buffer: Annotated[Size, Field(ge=4096)] = 1 << 20
    auth_failures: Count = 5
    auth_delay: Duration = 1.0
    auth_block: Duration = 60.0


class Timers(Model):
    init: Positive = 10.0
    enquire_link: Positive = 30.0
    inactivity: Duration = 600.0
    response: Positive = 30.0


class Http(Model):
    host: str = "127.0.0.1"
    port: Port = 9464


class Webhooks(Model):
    """The port that HTTPS carriers send their notifications to."""

    host: str = "0.0.0.0"
    port: Port = 0
    tls_certificate: str | None = None
    tls_key: str | None = None
    max_body: Annotated[Size, Field(ge=1024, le=16 << 20)] = 256 << 10
    proxies: Annotated[tuple[Network, ...], Strict(False)] = ()


class StoreConfig(Model):
    engine: Literal["lmdb", "memory"] = "lmdb"
    path: Annotated[str, Field(min_length=1)] = "data"
    max_size: Annotated[Size, Field(ge=1 << 20)] = 64 << 30


def _like(pattern: str, fix: str) -> AfterValidator:
    def read(value: str) -> str:
        if re.fullmatch(pattern, value) is None:
            raise values.Wrong(f"{value!r} cannot be used", fix)
        return value

    return AfterValidator(read)


class CarrierLookup(Model):
    """Who is asked over HTTP which carrier a number belongs to now."""

    url: Annotated[
        str,
        _like(r"(https?://[^/?#]+[/?][^#]*\{(number|national)\}[^#]*)?", "a URL with {number} or {national} in it"),
        AfterValidator(values.asked),
    ] = ""
    header: Annotated[str, _like(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", "the name of an HTTP header")] = "Authorization"
    secret: SecretStr = SecretStr("")
    answer: str = "carrier"
    names: dict[str, Annotated[str, _like(carriers.NAME, "small letters, digits, '-' and '_', at most 32")]] = {}
    wait: Positive = 2.0
    response: Positive = 5.0
    window: Annotated[int, Field(ge=1, le=1000)] = 20
    max_waiting: Count = 10_000
    cache: Count = 100_000
    ttl: Positive = 86400.0
    negative_ttl: Positive = 300.0
    rest_after: Count = 5
    rest: Positive = 10.0


class Carriers(Model):
    """How the mobile carrier of a number is known."""

    country: Annotated[str, _like("[0-9]{0,3}", 'a country code like "81"; "" = none')] = "81"
    overrides: str | None = None
    lookup: CarrierLookup = CarrierLookup()


Role = Literal["send", "read", "operate"]


class ApiKey(Model):
    """Who may use the API; `name` is the name of its table."""

    name: str
    key: SecretStr = SecretStr("")
    """Also when it was given by key_env or key_file."""
    key_hash: Annotated[str | None, AfterValidator(_hash), Field(repr=False)] = None
    roles: Annotated[tuple[Role, ...], Strict(False), Field(min_length=1)] = ("send",)
    accounts: Names = ()
    rate: Rate = 0.0
    burst: Rate = 0.0
    callback: Annotated[str, _like(r"(https?://[^\s/?#@]+([/?][^\s#]*)?)?", 'an "https://..." URL')] = ""
    callback_secret: SecretStr = SecretStr("")
    callback_hosts: Names = ()
    inbound: bool = False

    def verifies(self, given: bytes) -> bool:
        """In constant time; a hashed one takes tens of milliseconds the first time."""
        if self.key_hash is not None:
            return passwords.matches_hash(given, self.key_hash)
        secret = self.key.get_secret_value().encode()
        return bool(secret) and passwords.matches_plain(given, secret)


class Api(Model):
    """The port of the REST and admin API."""

    host: str = "127.0.0.1"
    port: Port = 0
    tls_certificate: str | None = None
    tls_key: str | None = None
    max_body: Annotated[Size, Field(ge=1024, le=64 << 20)] = 1 << 20
    max_batch: Annotated[int, Field(ge=1, le=10_000)] = 1000
    idempotency: Duration = 86400.0
    max_idempotency: Count = 100_000
    callback_wait: Positive = 10.0
    keys: dict[str, ApiKey] = Field(default_factory=dict)


class HistoryConfig(Model):
    """What happened to each message, for `smppgw trace` and the API."""

    engine: Literal["", "sqlite", "postgres"] = ""
    path: Annotated[str, Field(min_length=1)] = "data/history.db"
    url: SecretStr = SecretStr("")
    days: Annotated[float, Field(ge=0)] = 30.0
    bodies: Literal["off", "hash", "keep"] = "off"
    max_pending: Annotated[Size, Field(ge=1 << 16)] = 64 << 20


class Tracing(Model):
    """What happens to some messages, as OpenTelemetry traces."""

    endpoint: Annotated[str, Field(pattern=r"^(https?://\S+)?$")] = ""
    sample: Annotated[float, Field(ge=0, le=1)] = 0.01
    service_name: Annotated[str, Field(min_length=1)] = "smppgw"
    max_pending: Annotated[int, Field(ge=1)] = 2048


class Log(Model):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["console", "json"] = "console"
    access: str = "data/access.log"


class Account(Model):
    """An ESME that may bind; `name`, its system_id, is the name of its table."""

    name: str
    password: SecretStr | None = None
    """Also when it was given by password_env or password_file."""
    password_env: str | None = None
    password_file: str | None = None
    password_hash: Annotated[str | None, AfterValidator(_hash), Field(repr=False)] = None
    networks: Annotated[tuple[Network, ...], Strict(False)] = (
        values.network("0.0.0.0/0"),
        values.network("::/0"),
    )
    bind_modes: Annotated[tuple[BindMode, ...], Strict(False), Field(min_length=1)] = (
        "transmitter",
        "receiver",
        "transceiver",
    )
    max_binds: Count = 10
    window: Window = 1000
    rate: Rate = 0.0
    burst: Rate = 0.0
    max_queued: Count = 1_000_000
    max_deliveries: Count = 1_000_000
    sources: Patterns = ()
    encoding: Encoding = "gsm0338"
    ack: Literal["store", "upstream"] = "store"
    receipts: Literal["canonical", "text", "tlv"] = "canonical"
    deliver_window: Window = 100
    deliver_retry: Delays = (5.0, 30.0, 120.0, 600.0)
    deliver_attempts: Count = 20
    deliver_age: Positive = 7 * 86400.0

    def verifies(self, password: bytes) -> bool:
        """In constant time; a hashed one takes tens of milliseconds the first time, microseconds again."""
        if self.password_hash is not None:
            return passwords.matches_hash(password, self.password_hash)
        if self.password is None:
            return False
        return passwords.matches_plain(password, self.password.get_secret_value().encode())

    def admits(self, address: str) -> bool:
        """May it bind from this IP address? An IPv4 address inside an IPv6 one counts as itself."""
        peer = ip_address(address.partition("%")[0])
        peer = getattr(peer, "ipv4_mapped", None) or peer
        return any(peer in network for network in self.networks)


class Errors(Model):
    """What the status of an answer means; a status in none of them means never."""

    sent: Statuses = frozenset()
    later: Statuses = frozenset(
        {int(Status.RTHROTTLED), int(Status.RMSGQFUL), int(Status.RSYSERR), int(Status.RX_T_APPN)}
    )
    never: Statuses = frozenset()


class Addresses(Model):
    source_ton: TonNpi = -1
    source_npi: TonNpi = -1
    destination_ton: TonNpi = -1
    destination_npi: TonNpi = -1
    strip_plus: bool = False
    national_prefix: str = ""
    country_code: str = ""


class Connector(Model):
    """One SMSC that we bind to."""

    name: str
    kind: Literal["smpp"] = "smpp"
    host: Annotated[str, Field(min_length=1), AfterValidator(values.host)]
    port: Annotated[int, Field(ge=1, le=65535)]
    system_id: Annotated[str, _octets(15)]
    password: SecretStr = SecretStr("")
    """Also when it was given by password_env or password_file."""
    password_env: str | None = None
    password_file: str | None = None
    system_type: Annotated[str, _octets(12)] = ""
    bind: BindMode = "transceiver"
    binds: Annotated[int, Field(ge=1, le=1000)] = 1
    interface_version: Literal["3.3", "3.4", "5.0"] = "3.4"
    address_range: Annotated[str, _octets(40)] = ""
    window: Window = 100
    rate: Rate = 0.0
    burst: Rate = 0.0
    enquire_link: Positive = 30.0
    response: Positive = 30.0
    rebind: Delays = (1.0, 2.0, 5.0, 15.0, 30.0)
    alert_after: Count = 5
    pause: Duration = 1.0
    retry: Delays = (5.0, 30.0, 120.0, 600.0)
    in_doubt: Literal["", "resend", "hold"] = ""
    tls: bool = False
    tls_ca: str | None = None
    tls_certificate: str | None = None
    tls_key: str | None = None
    tls_name: str | None = None
    id_form: IdForm = "auto"
    receipt_id_form: IdForm = "auto"
    encoding: Encoding = "gsm0338"
    transliterate: bool = False
    long_messages: Literal["as_is", "udh8", "udh16", "sar", "payload"] = "as_is"
    more_messages: bool = False
    forward: Annotated[tuple[Literal["query_sm", "cancel_sm", "replace_sm"], ...], Strict(False)] = ()
    errors: Errors = Errors()
    tlvs: Tlvs = {}
    addresses: Addresses = Addresses()

    @property
    def secret(self) -> bytes:
        """The password as it goes on the wire."""
        return self.password.get_secret_value().encode()

    @property
    def version(self) -> int:
        """interface_version as it goes on the wire."""
        return {"3.3": 0x33, "3.4": 0x34, "5.0": 0x50}[self.interface_version]


class Member(Model):
    connector: str
    weight: Annotated[int, Field(ge=1, le=1000)] = 1


Members = Annotated[tuple[Annotated[Member, BeforeValidator(_member)], ...], Strict(False)]


class Group(Model):
    """Connectors that share a load, and those that stand in for them."""

    name: str
    active: Annotated[Members, Field(min_length=1)]
    backup: Members = ()
    backup_after: Duration = 2.0
    hand_back_after: Duration = 5.0


class Match(Model):
    """Every key given must match; of a list any."""

    account: Words = ()
    source: Patterns = ()
    destination: Patterns = ()
    coding: Octets = ()
    service_type: Words = ()
    tag: Words = ()
    carrier: Words = ()
    tlv: TlvPatterns = {}


class MoMatch(Model):
    """As Match, for messages that come from upstream."""

    connector: Words = ()
    source: Patterns = ()
    destination: Patterns = ()


class Route(Model):
    name: Annotated[str, Field(min_length=1)]
    to: str
    fallback: Names = ()
    senders: str = ""
    match: Match = Match()


class MoRoute(Model):
    account: str
    match: MoMatch = MoMatch()
