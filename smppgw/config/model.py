"""The whole file as one frozen model."""

from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import Discriminator, Field, Strict, Tag

from smppgw.carriers.registry import KINDS
from smppgw.carriers.settings import CarrierSettings
from smppgw.overrides import Overrides, read_file
from smppgw.senders import Senders
from smppgw.settings import (
    Account,
    Api,
    Carriers,
    Connector,
    Gateway,
    Group,
    HistoryConfig,
    Http,
    Limits,
    Listener,
    Log,
    Model,
    MoRoute,
    Route,
    StoreConfig,
    Timers,
    Tracing,
    Webhooks,
)

NAMED = ("accounts", "connectors", "groups", "senders")
"""Tables of tables: the name of each is its own `name`."""
CONNECTOR_KINDS = ("smpp", *KINDS)


def kind_of(table: Any) -> str:
    """Of a connector, in the file or validated; "" is none that there can be."""
    kind = table.get("kind", "smpp") if isinstance(table, dict) else getattr(table, "kind", None)
    return kind if isinstance(kind, str) else ""


if TYPE_CHECKING:
    AnyConnector = Connector | CarrierSettings
else:
    _TAGGED = [Annotated[kind.settings, Tag(name)] for name, kind in KINDS.items()]
    AnyConnector = Annotated[Union[(Annotated[Connector, Tag("smpp")], *_TAGGED)], Discriminator(kind_of)]
    AnyConnector = AnyConnector if KINDS else Connector


class Config(Model):
    """The whole file."""

    gateway: Gateway = Gateway()
    listeners: Annotated[tuple[Listener, ...], Strict(False), Field(min_length=1)] = (Listener(),)
    limits: Limits = Limits()
    timers: Timers = Timers()
    http: Http = Http()
    webhooks: Webhooks = Webhooks()
    api: Api = Api()
    carriers: Carriers = Carriers()
    store: StoreConfig = StoreConfig()
    history: HistoryConfig = HistoryConfig()
    tracing: Tracing = Tracing()
    log: Log = Log()
    accounts: dict[str, Account] = Field(default_factory=dict)
    connectors: dict[str, AnyConnector] = Field(default_factory=dict)
    groups: dict[str, Group] = Field(default_factory=dict)
    senders: dict[str, Senders] = Field(default_factory=dict)
    routes: Annotated[tuple[Route, ...], Strict(False)] = ()
    mo_routes: Annotated[tuple[MoRoute, ...], Strict(False)] = ()

    @property
    def smpp(self) -> dict[str, Connector]:
        """The connectors that bind to an SMSC."""
        return {name: each for name, each in self.connectors.items() if isinstance(each, Connector)}

    @property
    def https(self) -> dict[str, CarrierSettings]:
        """The connectors that send to an HTTPS carrier."""
        return {name: each for name, each in self.connectors.items() if isinstance(each, CarrierSettings)}

    @cached_property
    def ported(self) -> Overrides:
        """The file of carriers.overrides, read once."""
        return read_file(self.carriers.overrides, self.carriers.country)
