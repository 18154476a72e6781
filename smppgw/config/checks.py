"""What no single key can know."""

from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec

from smppgw.config.model import Config
from smppgw.config.places import Numbers, placed
from smppgw.config.problems import Problem
from smppgw.config.tables import Names
from smppgw.config.tls import check_pair, check_tls
from smppgw.senders import Senders
from smppgw.values import Wrong, did_you_mean, octets_within

SYSTEM_ID = 15  # octets (SMPP 3.4, 5.2.1)
BAD_LINES = 20
"""Lines of a file that are named; of more, their number."""


def cross_checks(config: Config, names: Names, numbers: Numbers) -> Iterator[Problem]:
    yield from _check_names(names)
    yield from _check_groups(config, names)
    yield from _check_routes(config, names, numbers)
    yield from _check_senders(config, names, numbers)
    yield from _check_ports(config, numbers)
    yield from check_tls(config, numbers)
    yield from _check_webhooks(config)
    yield from _check_history(config)
    yield from _check_tracing(config)
    yield from _check_api(config, names)
    yield from _check_overrides(config)
    yield from _check_errors(config)


def _check_names(names: Names) -> Iterator[Problem]:
    if not names["accounts"]:
        yield Problem("accounts", "there is no account", "add a table [accounts.NAME] with a password")
    for name in sorted(names["accounts"]):
        try:
            if not octets_within(SYSTEM_ID, name):
                yield Problem("accounts.", "the name is empty", "a system_id has 1 to 15 octets")
        except Wrong as error:
            yield Problem(f"accounts.{name}", f"as a system_id {error.wrong}", error.fix)
    for name in sorted(names["connectors"] & names["groups"]):
        yield Problem(f"groups.{name}", "a connector has this name too", "give one of them another name")


def _check_groups(config: Config, names: Names) -> Iterator[Problem]:
    for name, group in config.groups.items():
        path = f"groups.{name}"
        for of, members in (("active", group.active), ("backup", group.backup)):
            for member in members:
                if member.connector not in names["connectors"]:
                    hint = did_you_mean(member.connector, names["connectors"])
                    yield Problem(f"{path}.{of}", f"there is no connector {member.connector!r}", hint)
        times = Counter(member.connector for member in group.active + group.backup)
        for connector in (connector for connector, count in times.items() if count > 1):
            yield Problem(path, f"{connector!r} is named twice", "name it once; give it more weight instead")


def _check_routes(config: Config, names: Names, numbers: Numbers) -> Iterator[Problem]:
    targets = names["connectors"] | names["groups"]
    seen: set[str] = set()
    for path, route in placed("routes", config.routes, numbers):
        if route.name in seen:
            yield Problem(f"{path}.name", f"there is another route {route.name!r}", "give each its own name")
        seen.add(route.name)
        for key, wanted in (("to", (route.to,)), ("fallback", route.fallback)):
            for target in (target for target in wanted if target not in targets):
                wrong = f"there is no group or connector {target!r}"
                yield Problem(f"{path}.{key}", wrong, did_you_mean(target, targets))
        if len({route.to, *route.fallback}) <= len(route.fallback):
            yield Problem(f"{path}.fallback", "a target is named twice", "name each target once")
        for account in (account for account in route.match.account if account not in names["accounts"]):
            hint = did_you_mean(account, names["accounts"])
            yield Problem(f"{path}.match.account", f"there is no account {account!r}", hint)
    for path, mo in placed("mo_routes", config.mo_routes, numbers):
        if mo.account not in names["accounts"]:
            hint = did_you_mean(mo.account, names["accounts"])
            yield Problem(f"{path}.account", f"there is no account {mo.account!r}", hint)
        for name in (name for name in mo.match.connector if name not in names["connectors"]):
            hint = did_you_mean(name, names["connectors"])
            yield Problem(f"{path}.match.connector", f"there is no connector {name!r}", hint)


def _check_senders(config: Config, names: Names, numbers: Numbers) -> Iterator[Problem]:
    for path, route in placed("routes", config.routes, numbers):
        if route.senders and route.senders not in names["senders"]:
            hint = did_you_mean(route.senders, names["senders"])
            yield Problem(f"{path}.senders", f"there is no sender pool {route.senders!r}", hint)
    owner: dict[bytes, Senders] = {}
    for name, pool in config.senders.items():
        if pool.account and pool.account not in names["accounts"]:
            hint = did_you_mean(pool.account, names["accounts"])
            yield Problem(f"senders.{name}.account", f"there is no account {pool.account!r}", hint)
        for n, member in enumerate(pool.members if pool.account else ()):
            other = owner.setdefault(member.what.address, pool)
            if other.account != pool.account:
                wrong = f"MO messages to {member.value!r} go to {other.account!r} by senders.{other.name}"
                yield Problem(f"senders.{name}.members[{n}]", wrong, "name the same account, or none")


def _check_ports(config: Config, numbers: Numbers) -> Iterator[Problem]:
    listeners = placed("listeners", config.listeners, numbers)
    users = [(f"{path}.port", each.host, each.port) for path, each in listeners]
    users.append(("http.port", config.http.host, config.http.port))
    users.append(("api.port", config.api.host, config.api.port))
    users.append(("webhooks.port", config.webhooks.host, config.webhooks.port))
    wild = {"0.0.0.0", "::", ""}
    for n, (path, host, port) in enumerate(users):
        for other, other_host, other_port in users[:n]:
            if port and port == other_port and (host == other_host or wild & {host, other_host}):
                yield Problem(path, f"port {port} is used by {other} too", "give each its own port")


def _check_api(config: Config, names: Names) -> Iterator[Problem]:
    yield from check_pair("api", config.api.tls_certificate, config.api.tls_key)
    for name, key in config.api.keys.items():
        path = f"api.keys.{name}"
        if "send" in key.roles and not key.accounts:
            yield Problem(f"{path}.accounts", "is missing", "name the account whose messages it sends")
        for account in (account for account in key.accounts if account not in names["accounts"]):
            hint = did_you_mean(account, names["accounts"])
            yield Problem(f"{path}.accounts", f"there is no account {account!r}", hint)
    yield from _check_callbacks(config)


def _check_callbacks(config: Config) -> Iterator[Problem]:
    inbound: dict[str, str] = {}
    for name, key in config.api.keys.items():
        path = f"api.keys.{name}"
        if (key.callback or key.callback_hosts) and not key.callback_secret.get_secret_value():
            yield Problem(f"{path}.callback_secret", "is missing", "callbacks are signed with it: give one")
        if not key.inbound:
            continue
        if not key.callback or not key.accounts:
            yield Problem(f"{path}.inbound", "MO messages have no way to go", "give the key accounts and a callback")
            continue
        other = inbound.setdefault(key.accounts[0], name)
        if other != name:
            yield Problem(
                f"{path}.inbound", f"key {other!r} gets the MO messages of {key.accounts[0]!r}", "one key only"
            )


def _check_history(config: Config) -> Iterator[Problem]:
    if config.history.engine == "postgres" and not config.history.url.get_secret_value():
        fix = 'like "postgresql://smppgw@db.example/smppgw"; url_env and url_file keep its password out of here'
        yield Problem("history.url", "is missing", f"give it, {fix}")


def _check_tracing(config: Config) -> Iterator[Problem]:
    if config.tracing.endpoint and not _installed("opentelemetry.exporter.otlp.proto.http"):
        yield Problem("tracing.endpoint", "OpenTelemetry is not installed", "pip install 'smppgw[otel]'")


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # nothing above it either
        return False


def _check_webhooks(config: Config) -> Iterator[Problem]:
    taken: dict[str, str] = {}
    for name, carrier in config.https.items():
        path = f"connectors.{name}"
        if carrier.webhook_path and not config.webhooks.port:
            yield Problem(f"{path}.webhook_path", "[webhooks] has no port", "give [webhooks] a port")
        other = taken.setdefault(carrier.webhook_path, name)
        if carrier.webhook_path and other != name:
            yield Problem(f"{path}.webhook_path", f"connector {other!r} has the same", "give each its own path")
        if bool(carrier.webhook_user) is not bool(carrier.webhook_password.get_secret_value()):
            yield Problem(f"{path}.webhook_user", "webhook_user goes with webhook_password", "give both or none")
        tls = [key for key in ("tls_ca", "tls_certificate") if getattr(carrier, key) is not None]
        if tls and carrier.url.startswith("http:"):
            yield Problem(f"{path}.{tls[0]}", "its url speaks no TLS", 'write "https://" in url')


def _check_overrides(config: Config) -> Iterator[Problem]:
    file, (_, bad, unreadable) = config.carriers.overrides, config.ported
    if unreadable:
        yield Problem("carriers.overrides", f"{file} cannot be read: {unreadable}", "an existing, readable file")
    for line in bad[:BAD_LINES]:
        yield Problem("carriers.overrides", f"{file}, line {line.number}: {line.wrong}", line.fix)
    if len(bad) > BAD_LINES:
        yield Problem("carriers.overrides", f"{file} has {len(bad)} bad lines in all", "correct these first")


def _check_errors(config: Config) -> Iterator[Problem]:
    for name, connector in config.smpp.items():
        seen = Counter(status for of in ("sent", "later", "never") for status in getattr(connector.errors, of))
        for status in (status for status, times in seen.items() if times > 1):
            path = f"connectors.{name}.errors"
            yield Problem(path, f"status 0x{status:02X} is in two lists", "leave it in one (later has defaults)")
