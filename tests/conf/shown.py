"""What conf/smppgw.toml shows, line by line, and the models that read it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from smppgw.senders import Sender, Senders
from smppgw.settings import (
    Account,
    Addresses,
    Api,
    ApiKey,
    CarrierLookup,
    Carriers,
    Connector,
    Errors,
    Gateway,
    Group,
    HistoryConfig,
    Http,
    Limits,
    Listener,
    Log,
    Match,
    Model,
    MoMatch,
    MoRoute,
    Route,
    StoreConfig,
    Timers,
    Tracing,
    Webhooks,
)
from tests.kit import ROOT

CONF = ROOT / "conf"


TABLES: dict[str, tuple[type[Model], tuple[str, ...]]] = {
    "gateway": (Gateway, ("gateway",)),
    "listeners": (Listener, ("listeners", "0")),
    "limits": (Limits, ("limits",)),
    "timers": (Timers, ("timers",)),
    "http": (Http, ("http",)),
    "webhooks": (Webhooks, ("webhooks",)),
    "carriers": (Carriers, ("carriers",)),
    "carriers.lookup": (CarrierLookup, ("carriers", "lookup")),
    "store": (StoreConfig, ("store",)),
    "api": (Api, ("api",)),
    "api.keys.shop": (ApiKey, ("api", "keys", "shop")),
    "history": (HistoryConfig, ("history",)),
    "tracing": (Tracing, ("tracing",)),
    "log": (Log, ("log",)),
    "accounts.demo": (Account, ("accounts", "demo")),
    "connectors.smpp1": (Connector, ("connectors", "smpp1")),
    "connectors.smpp1.errors": (Errors, ("connectors", "smpp1", "errors")),
    "connectors.smpp1.addresses": (Addresses, ("connectors", "smpp1", "addresses")),
    "groups.nexmo": (Group, ("groups", "nexmo")),
    "senders.shop": (Senders, ("senders", "shop")),
    "senders.shop.members": (Sender, ("senders", "shop", "members", "0")),
    "routes": (Route, ("routes", "0")),
    "routes.match": (Match, ("routes", "0", "match")),
    "mo_routes": (MoRoute, ("mo_routes", "0")),
    "mo_routes.match": (MoMatch, ("mo_routes", "0", "match")),
}


@dataclass
class Line:
    table: str
    key: str
    value: str
    comment: str
    optional: bool


def lines(file: str = "smppgw.toml") -> Iterator[Line]:
    table = ""
    for text in (CONF / file).read_text().splitlines():
        if header := re.match(r"\[+([a-z0-9_.]+)\]", text):
            table = header[1]
        elif setting := re.match(r"(# )?(\w+) = (.+?)(?: +# *(.*))?$", text):
            yield Line(table, setting[2], setting[3], setting[4] or "", bool(setting[1]))
