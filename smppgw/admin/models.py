"""What the admin API says and takes, as models; times are epoch seconds, ages and latencies say their unit."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

LATIN1 = "^[\u0001-\u00ff]*$"
Address = Annotated[str, Field(max_length=20, pattern=LATIN1)]
"""As on the wire: octets."""

Rates = dict[str, float]
Limit = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]


class Shown(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Latency(Shown):
    """Milliseconds, of the last minute; 0 when nothing was measured."""

    p50: float
    p95: float
    p99: float


class Queue(Shown):
    """Messages that wait for a group or connector."""

    target: str
    kind: Literal["group", "connector"]
    up: bool
    waiting: int
    oldest_seconds: float


class History(Shown):
    """The recorder of history."""

    engine: str
    up: bool
    noted: int
    dropped: int
    restarts: int
    pending_octets: int


class Overview(Shown):
    """The whole gateway in one look."""

    version: str
    name: str
    ready: bool
    reasons: list[str] = Field(description="Why it is not ready.")
    uptime_seconds: float
    pid: int
    links: int
    bound: int
    rates: dict[str, Rates] = Field(description="A second over the last 1, 5 and 60 s: accepted, refused, sent, ...")
    latency: dict[str, Latency] = Field(description="submit: to our answer; commit: of the store; upstream: its answer")
    queued: int
    awaiting_receipt: int
    deliveries: int = Field(description="Receipts and MO messages that accounts are still to get.")
    delayed: int
    set_aside: int
    oldest_queued_seconds: float
    oldest_delivery_seconds: float
    queues: list[Queue]
    history: History | None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "version": "0.1.0", "name": "smppgw", "ready": True, "reasons": [], "uptime_seconds": 86400.5,
                    "pid": 4711, "links": 12, "bound": 12,
                    "rates": {"accepted": {"1s": 510.0, "5s": 502.4, "60s": 499.1}},
                    "latency": {"submit": {"p50": 2.1, "p95": 4.0, "p99": 8.8}},
                    "queued": 3, "awaiting_receipt": 2044, "deliveries": 0, "delayed": 0, "set_aside": 0,
                    "oldest_queued_seconds": 0.1, "oldest_delivery_seconds": 0.0,
                    "queues": [{"target": "cluster", "kind": "group", "up": True, "waiting": 3, "oldest_seconds": 0.1}],
                    "history": None,
                }
            ]
        }
    )  # fmt: skip


class BindView(Shown):
    """One link: of an ESME, or ours to an SMSC."""

    id: str
    peer: str
    mode: str
    state: str
    since: float | None
    version: str
    window: int
    window_used: int = Field(description="Requests that wait for our answer.")
    delivering: int = Field(description="Requests of ours that wait for the peer's answer.")


class AccountView(Shown):
    """An account, without its secrets."""

    name: str
    removed: bool = Field(description="It is no longer in the config; only what is left of it is kept.")
    http: bool = Field(description="Its messages come over HTTP.")
    binds: list[BindView]
    window: int
    window_used: int
    rate: float
    burst: float
    max_queued: int
    limited: bool = Field(description="Limits are others than those of the config, for now.")
    queued: int
    outbox_waiting: int
    outbox_delayed: int
    outbox_under_way: int
    outbox_oldest_seconds: float
    delivered: int
    statuses: dict[str, int]
    rates: Rates = Field(description="A second, over the last five to ten: accepted, refused, delivered.")
    settings: dict[str, Any] = Field(description="As the config has them; empty in the list of all accounts.")


class ConnectorView(Shown):
    """A connector to an SMSC, or to an HTTPS carrier."""

    name: str
    kind: str
    up: bool = Field(description="It can submit.")
    wanted: bool = Field(description="A group or route needs it.")
    held: Literal["", "drain", "stop"] = Field(description="What a person asked for.")
    alert: bool = Field(description="It needs a person.")
    last_error: str
    failures: int = Field(description="Failed binds, or requests, in a row.")
    breaker: Literal["", "closed", "half open", "open"] = Field(description="Of an HTTPS carrier.")
    paused: bool = Field(description="It rests because the upstream asked for it.")
    window: int
    window_used: int
    rate: float
    limited: bool = Field(description="Limits are others than those of the config, for now.")
    binds_wanted: int
    binds: list[BindView]
    groups: list[str]
    submits: int
    outcomes: dict[str, int]
    rates: Rates = Field(description="A second, over the last five: submits, sent, receipts.")
    latency: Latency
    settings: dict[str, Any]


class MemberView(Shown):
    connector: str
    role: Literal["active", "backup"]
    weight: int
    up: bool


class GroupView(Shown):
    """A group and its failover."""

    name: str
    up: bool
    state: Literal["active", "down", "failed over", "waiting for backups", "handing back soon"]
    backups_wanted: bool
    changes_in_seconds: float | None = Field(description="When backups are called or let go, if nothing changes.")
    members: list[MemberView]
    waiting: int
    oldest_seconds: float


class RouteView(Shown):
    name: str
    to: str
    fallback: list[str]
    senders: str
    match: dict[str, Any]


class MoRouteView(Shown):
    account: str
    match: dict[str, Any]


class Routes(Shown):
    routes: list[RouteView]
    mo_routes: list[MoRouteView]


class AccountLimits(Shown):
    """What is not given stays as it is."""

    rate: Limit | None = None
    burst: Limit | None = None
    window: Count | None = None
    max_queued: Annotated[int, Field(ge=1)] | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"rate": 50, "window": 10}]})


class ConnectorLimits(Shown):
    """What is not given stays as it is."""

    rate: Limit | None = None
    burst: Limit | None = None
    window: Count | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"rate": 100}]})


class Unbind(Shown):
    link: str = Field(default="", description="The id of one bind; all of them unless given.", max_length=100)


class Unbound(Shown):
    unbinding: int


class TryRoute(Shown):
    """A message that is not sent: where would it go?"""

    account: Annotated[str, Field(max_length=64)]
    source: Address = ""
    destination: Annotated[Address, Field(min_length=1)]
    coding: Annotated[int, Field(ge=0, le=255)] = 0
    service_type: Annotated[str, Field(max_length=5, pattern=LATIN1)] = ""
    tag: Annotated[str, Field(max_length=255)] = ""
    tlvs: Annotated[dict[str, str | int], Field(max_length=50)] = Field(
        default_factory=dict, description='By tag, like "0x1400"; values as in the config: text, "hex:..." or a number.'
    )

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"account": "demo", "source": "12345", "destination": "819012345678", "coding": 8}]
        }
    )


class TriedRoute(Shown):
    route: str
    matched: bool
    why: str = Field(description="The first condition that did not hold.")


class Sender(Shown):
    pool: str
    value: str
    address: str
    ton: int
    npi: int


class RouteTrial(Shown):
    """Where a message would go now, and why."""

    accepted: bool
    status: str = Field(description="What its submit would be answered with, as far as routes and senders decide.")
    tried: list[TriedRoute]
    route: str = ""
    target: str = ""
    kind: Literal["", "group", "connector"] = ""
    fallback: bool = Field(default=False, description="It goes to a fallback: the first target is down.")
    member: str = Field(default="", description="The connector that would get it now; none while the target is down.")
    carrier: str = Field(default="", description='The mobile carrier of the destination; "" when it is unknown.')
    sender: Sender | None = None
    notes: list[str] = []


class TryMoRoute(Shown):
    connector: Annotated[str, Field(max_length=64)]
    source: Address = ""
    destination: Address = ""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"connector": "smsc", "source": "819012345678", "destination": "12345"}]}
    )


class MoRouteTrial(Shown):
    tried: list[TriedRoute]
    account: str = Field(description='Who would get it; "": it would be refused.')
    why: str


class Aside(Shown):
    """A record that a person must look at."""

    id: str
    since: float
    account: str
    reason: str
    kind: Literal["message", "receipt", "mo", "callback", "other"]
    source: str
    destination: str
    coding: int
    octets: int
    state: str = Field(description="The message_state that a receipt tells.")
    attempts: int
    connector: str = Field(description="Of a message in doubt: the only one that may get it again.")
    expires: float | None
    record: str = Field(
        default="", description="In hex; only for one that is asked for by its id, and only to operate."
    )


class Asides(Shown):
    total: int
    records: list[Aside]
    next: str = Field(description='Give it as `after` for the next page; "" at the end.')


class Release(Shown):
    """Send a message in doubt again, or deliver again what was refused."""

    validity_seconds: Annotated[float, Field(gt=0, le=30 * 86400)] | None = Field(
        default=None, description="From now; else as before, or the gateway's own when that has passed."
    )


class Drop(Shown):
    """End it for good."""

    state: Literal["", "DELIVERED", "EXPIRED", "DELETED", "UNDELIVERABLE", "UNKNOWN", "REJECTED"] = Field(
        "",
        description="For a message in doubt: the receipt that its account gets if it asked for one; none unless given.",
    )


class Done(Shown):
    done: str


class Change(Shown):
    """A key of the config whose value on disk is not the one in force."""

    path: str
    running: Any
    file: Any
    restart: bool = Field(description="It takes a restart; a reload does not look at this table.")


class WrongKey(Shown):
    path: str
    wrong: str
    fix: str


class Diff(Shown):
    file: str
    changes: list[Change]
    problems: list[WrongKey] = Field(description="The file cannot be used: a reload would change nothing.")


class Reloaded(Shown):
    reloaded: bool
    needs_restart: list[str]
