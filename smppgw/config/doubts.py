"""What works, but is probably not meant."""

import re
from collections.abc import Iterator

from routing.carriers import Carriers as Known
from smppgw.config.model import Config
from smppgw.config.problems import Problem
from smppgw.senders import never_chosen
from smppgw.settings import Connector, Match
from smppgw.values import did_you_mean

PASSWORD = 8  # octets (SMPP 3.4, 5.2.2)
_ON_THIS_MACHINE = re.compile(r"http://(127\.[0-9.]+|localhost|\[::1\])([:/]|$)")


def warnings(config: Config) -> tuple[Problem, ...]:
    return tuple(_doubts(config))


def _doubts(config: Config) -> Iterator[Problem]:
    short = f"SMPP allows {PASSWORD}; peers that keep to it cannot use more"
    for name, account in config.accounts.items():
        if account.password is not None and not account.password.get_secret_value():
            yield Problem(f"accounts.{name}.password", "is empty", "anyone who knows the name may bind")
        if account.password is not None and len(account.password.get_secret_value().encode()) > PASSWORD:
            yield Problem(f"accounts.{name}.password", f"has more than {PASSWORD} octets", short)
        if not account.networks:
            yield Problem(f"accounts.{name}.networks", "is empty", "this account can bind from nowhere")
    for name, connector in config.smpp.items():
        if len(connector.secret) > PASSWORD:
            yield Problem(f"connectors.{name}.password", f"has more than {PASSWORD} octets", short)
    for name, carrier in config.https.items():
        if carrier.url.startswith("http:") and not _ON_THIS_MACHINE.match(carrier.url):
            yield Problem(f"connectors.{name}.url", "is not encrypted", 'for simulators only: write "https://"')
        if carrier.poll and carrier.poll[-1] > config.gateway.receipt_wait:
            wrong = "looks longer than gateway.receipt_wait lets a message wait for its receipt"
            yield Problem(f"connectors.{name}.poll", wrong, "raise gateway.receipt_wait")
    lookup = config.carriers.lookup
    if lookup.url.startswith("http:") and lookup.secret.get_secret_value():
        yield Problem("carriers.lookup.url", "its secret is sent without encryption", 'write "https://"')
    yield from _unreached(config)
    yield from _unknown_carriers(config)
    yield from _unused_senders(config)
    if config.store.engine == "memory":
        yield Problem("store.engine", "is memory", "messages are forgotten at exit: for tests only")


def _unreached(config: Config) -> Iterator[Problem]:
    if not config.routes:
        yield Problem("routes", "there is no route", "every submit gets RINVDSTADR: add [[routes]]")
    for n, route in enumerate(config.routes[:-1]):
        if route.match == Match():
            fix = f"they are never reached: {route.name!r} matches everything"
            yield Problem(f"routes[{n + 1}]", "this route and those after it", fix)
            break
    used = {target for route in config.routes for target in (route.to, *route.fallback)}
    for name, group in config.groups.items():
        if name in used:
            used.update(member.connector for member in group.active + group.backup)
        else:
            yield Problem(f"groups.{name}", "no route leads to it", "name it in a route, or remove it")
    for name, connector in config.connectors.items():
        if name not in used and not (isinstance(connector, Connector) and connector.bind == "receiver"):
            yield Problem(f"connectors.{name}", "no route leads to it", "name it in a route or a group")


def _unknown_carriers(config: Config) -> Iterator[Problem]:
    lookup = config.carriers.lookup
    if lookup.url and not lookup.names:
        return  # it may answer with any name
    known = Known(overrides=config.ported.prefixes).names.union(lookup.names.values())
    for n, route in enumerate(config.routes):
        for name in (name for name in route.match.carrier if name and name not in known):
            yield Problem(f"routes[{n}].match.carrier", f"no data names {name!r}", did_you_mean(name, known))


def _unused_senders(config: Config) -> Iterator[Problem]:
    routes = {route.senders for route in config.routes}
    for name, pool in config.senders.items():
        if name not in routes:
            if not pool.account:
                yield Problem(f"senders.{name}", "no route uses it", f'write senders = "{name}" in a route')
            continue
        unused = never_chosen(pool.pool())
        for n, member in enumerate(pool.members):
            if member.value in unused:
                wrong = f"{member.value!r} is never chosen: others go before it wherever it works"
                yield Problem(f"senders.{name}.members[{n}]", wrong, f"change order, rules or countries of {name!r}")
