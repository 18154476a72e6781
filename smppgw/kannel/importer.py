"""Turn a Kannel set-up into the tables of gateway.toml, and list what has no place there."""

import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from smppgw import config, toml
from smppgw.kannel import connectors, logins, routes, verdicts
from smppgw.kannel.conf import Conf, Place, Problem
from smppgw.kannel.connectors import Link, octets
from smppgw.kannel.keys import SMSC_TYPES, Fate
from smppgw.kannel.logins import Login
from smppgw.kannel.meaning import model
from smppgw.kannel.model import Kannel, OpenSmppBox
from smppgw.kannel.tags import Tags

Table = dict[str, Any]
Read = Callable[[str], bytes]

_HTTP = "gateway.toml has a REST API of its own, [api]; `smppgw serve --kannel` speaks sendsms as this file says"
_ADMIN = "gateway.toml has an admin API of its own, [api]; `smppgw serve --kannel` opens this port as this file says"
_LISTS = "gateway.toml has no black and white lists; `smppgw serve --kannel` keeps them as this file says"
_LOG = "the access log has a form of its own: [log] access says where it goes"
_PROXY = "nothing that gateway.toml sets up goes through a proxy"
_SUBMIT = "a message keeps what its ESME wrote; it is for those of sendsms, and `smppgw serve --kannel` has them"
_NO_SMSC = {"http": '`smppgw serve --kannel` has it; here a connector of kind "template" may describe its API'}
_REROUTE = "a message from a mobile goes to ESMEs, not back to an SMSC"
_BOX = "a message goes to an ESME with the TON and NPI that it came with"

_TAKEN = {
    "core": "log-level unified-prefix ssl-client-certkey-file ssl-trusted-ca-file sms-resend-freq "
    "sms-outgoing-queue-limit maximum-queue-length",
    "smsc": "smsc smsc-id allowed-smsc-id denied-smsc-id preferred-smsc-id allowed-smsc-id-regex denied-smsc-id-regex "
    "preferred-smsc-id-regex allowed-prefix denied-prefix preferred-prefix allowed-prefix-regex denied-prefix-regex "
    "preferred-prefix-regex unified-prefix throughput dead-start alt-charset reconnect-delay instances host port "
    "receive-port use-ssl ssl-client-certkey-file smsc-username smsc-password system-id system-type address-range "
    "wait-ack wait-ack-expire source-addr-ton source-addr-npi dest-addr-ton dest-addr-npi enquire-link-interval "
    "max-pending-submits transceiver-mode interface-version msg-id-type",
    "sendsms-user": "username password forced-smsc default-smsc",
    "smsbox-route": "smsbox-id smsc-id shortcode",
    "smpp-tlv": "name tag length type smsc-id const",
    "opensmppbox": "opensmppbox-port our-system-id route-to-smsc smpp-logins use-systemid-as-smsboxid timeout",
    "smsc-route": "smsc-id smsbox-id shortcode receiver-shortcode",
}
"""What gateway.toml has a place for."""

_REASONS = {
    "core": {
        "admin-port admin-port-ssl admin-interface admin-password status-password admin-deny-ip admin-allow-ip": _ADMIN,
        "access-log access-log-time access-log-format access-log-clean": _LOG,
        "http-proxy-host http-proxy-port http-proxy-ssl http-proxy-exceptions http-proxy-exceptions-regex "
        "http-proxy-username http-proxy-password": _PROXY,
        "ssl-server-cert-file ssl-server-key-file": "it was for the ports of HTTP and of boxes; "
        "a listener has tls_certificate and tls_key",
        "ssl-client-cipher-list ssl-server-cipher-list": "TLS 1.2 and newer with the ciphers of OpenSSL's own choice",
        "http-timeout": _HTTP,
        "sms-resend-retry": "a message is tried until its validity_period, or [gateway] validity, is over",
        "sms-incoming-queue-limit": "what comes from mobiles waits on disk, and that is the limit",
        "sms-combine-concatenated-mo sms-combine-concatenated-mo-timeout": "parts go to the ESME as they came",
    },
    "smsc": {
        "smsc-admin-id": _ADMIN,
        "reroute reroute-smsc-id reroute-receiver reroute-dlr": _REROUTE,
        "alt-dcs validityperiod priority service-type esm-class": _SUBMIT,
        "max-sms-octets": "a part has up to 140 octets; with a greater limit the SMSC gets texts whole",
        "my-number": "a message from a mobile keeps the number that it was sent to",
        "bind-addr-ton bind-addr-npi": "a bind says 0 for both",
        "connection-timeout": "a silent link is closed when enquire_link is not answered in time: [timers] response",
        "alt-addr-charset": "addresses go as the octets that came",
        "source-addr-autodetect": "an alphanumeric source stays one",
    },
    "opensmppbox": {
        "source-addr-ton source-addr-npi source-addr-auto dest-addr-ton dest-addr-npi": _BOX,
        "log-level": "there is one level: that of the first file's core",
    },
}

_LEVELS = ("debug", "info", "warning", "error", "error")


@dataclass(frozen=True, slots=True)
class Imported:
    """Tables for `smppgw.config.parse`, and each line that is not in them with the reason."""

    tables: Table
    lost: tuple[Problem, ...]
    links: Mapping[str, tuple[Link, ...]]
    """The connectors of each smsc-id."""

    @property
    def text(self) -> str:
        return toml.dumps(self.tables)


def convert(conf: Conf, read: Read = lambda path: Path(path).read_bytes()) -> Imported:
    """`read` gets the logins of opensmppbox; raises ConfError where Kannel would not start."""
    return _converted(conf, model(conf), read, None)


def serving(conf: Conf, kannel: Kannel, tags: Tags, read: Read = lambda path: Path(path).read_bytes()) -> Imported:
    """The same for a gateway that has Kannel's HTTP side too: messages of sendsms come with tags, from accounts that
    are not in the tables, and messages from mobiles may be for SMSBOX."""
    return _converted(conf, kannel, read, tags)


def _converted(conf: Conf, kannel: Kannel, read: Read, tags: Tags | None) -> Imported:
    whole = Place(conf.groups[0].place.file if conf.groups else "kannel.conf", 0)
    lost = list(conf.notes)
    found, left_out = connectors.links(kannel.smscs, ("smpp",) if tags is None else connectors.SERVED)
    if tags is None:
        lost += left_out
    people = _logins(kannel.opensmppbox, read, lost)
    router = routes.Router(found)
    accounts = _esmes(kannel, people, lost)
    if tags is None:
        accounts |= _users(kannel, accounts, lost)
        if not accounts:
            lost.append(_nobody(whole))
    for selector in tags.selectors if tags is not None else ():
        router.add(selector)
    for selector in _selectors(kannel, people, accounts):
        router.add(selector if tags is None else replace(selector, match={**selector.match, "tag": [""]}))
    if tags is not None:
        accounts |= _smsbox(accounts)
    tables: Table = {
        "gateway": _gateway(kannel),
        "listeners": _listeners(kannel.opensmppbox, whole, lost, tags),
        # A quiet ESME that answers enquire_link stays bound.
        "timers": {"inactivity": "0s"},
        "log": _log(conf, kannel),
        "accounts": accounts,
        "connectors": {
            link.name: connectors.table(link, kannel.core, kannel.smpp_tlvs) for each in found.values() for link in each
        },
        "groups": router.groups,
        "routes": router.routes,
        "mo_routes": list(_mo_routes(kannel, people, found, whole, lost, tags)),
    }
    tables = {key: table for key, table in tables.items() if table}
    lost += _unsaid(conf) if tags is None else verdicts.means_nothing(conf)
    lost += _differences(conf, kannel, found, router, whole)
    if tags is None:
        lost += _refused(tables, whole)
    return Imported(tables, tuple(sorted(dict.fromkeys(lost), key=lambda each: _order(conf, each))), found)


def _order(conf: Conf, problem: Problem) -> tuple[int, str, int]:
    files = list(dict.fromkeys(group.place.file for group in conf.groups))
    file = problem.place.file
    return (files.index(file) if file in files else len(files), file, problem.place.line)


def _gateway(kannel: Kannel) -> Table:
    found: Table = {}
    if kannel.opensmppbox is not None and kannel.opensmppbox.our_system_id:
        found["name"] = octets(kannel.opensmppbox.our_system_id)
    if kannel.core.queue_limit > 0 and kannel.core.queue_limit != 1_000_000:
        found["max_queued"] = kannel.core.queue_limit
    return found


def _log(conf: Conf, kannel: Kannel) -> Table:
    core = conf.single("core")
    return {"level": _LEVELS[min(max(0, kannel.core.log_level), 4)]} if core is not None and "log-level" in core else {}


def _listeners(box: OpenSmppBox | None, whole: Place, lost: list[Problem], tags: Tags | None) -> list[Table]:
    if box is not None:
        return [{"host": "0.0.0.0", "port": box.opensmppbox_port}]
    if tags is not None:
        return []
    wrong = "there is no opensmppbox: [[listeners]] is open to this machine alone"
    lost.append(Problem(whole, wrong, "change its host when ESMEs are to bind from elsewhere"))
    return [{"host": "127.0.0.1", "port": 2775}]


# Who submits.


def _logins(box: OpenSmppBox | None, read: Read, lost: list[Problem]) -> tuple[Login, ...]:
    """The first of each system_id."""
    if box is None or box.smpp_logins is None:
        return ()
    try:
        found, problems = logins.parse(read(box.smpp_logins), box.smpp_logins)
    except (OSError, ValueError) as error:
        wrong = f"{box.smpp_logins} cannot be read: {getattr(error, 'strerror', None) or error}"
        lost.append(Problem(box.place, wrong, "its logins are not in the result"))
        return ()
    lost += problems
    first: dict[bytes, Login] = {}
    for login in found:
        if login.system_id in first:
            wrong = f"there is another login {login.system_id.decode('latin-1')}: this one is left out"
            lost.append(Problem(login.place, wrong, "a system_id has one password and one system_type"))
        first.setdefault(login.system_id, login)
    return tuple(first.values())


def _esmes(kannel: Kannel, people: Iterable[Login], lost: list[Problem]) -> dict[str, Table]:
    found: dict[str, Table] = {}
    for login in people:
        name = login.system_id.decode("latin-1")
        if _is_system_id(name, login.place, lost):
            found[name] = {"password": _password(login.password, login.place, lost), **_networks(login, lost)}
            if kannel.opensmppbox is None or not kannel.opensmppbox.use_systemid_as_smsboxid:
                wrong = f"the system_type {login.system_type.decode('latin-1')!r} of {name} is not asked for"
                lost.append(Problem(login.place, wrong, "system_id and password say who binds"))
    return found


def _users(kannel: Kannel, taken: Mapping[str, Table], lost: list[Problem]) -> dict[str, Table]:
    found: dict[str, Table] = {}
    for user in kannel.sendsms_users:
        name = octets(user.username or "")
        if name in taken or name in found:
            wrong = f"sendsms-user {name} is left out: there is an account of that name"
            lost.append(Problem(user.place, wrong, "give one of them another name"))
        elif _is_system_id(name, user.place, lost):
            password = (user.password or "").encode(errors="surrogateescape")
            found[name] = {"password": _password(password, user.place, lost), "networks": []}
            wrong = f"sendsms-user {name} is an account that may bind from nowhere"
            lost.append(Problem(user.place, wrong, f"its networks say from where; {_HTTP}"))
    return found


def _smsbox(taken: Mapping[str, Table]) -> dict[str, Table]:
    """Who gets messages from mobiles for the HTTP side: nobody can bind as it."""
    return {smsbox_account(taken): {"password": secrets.token_hex(4), "networks": []}}


def smsbox_account(logins: Collection[str]) -> str:
    """The name of its account, which no login has."""
    return connectors.unique("smsbox", logins)


def _nobody(whole: Place) -> Problem:
    return Problem(whole, "there is nobody who may submit", "add a table [accounts.NAME] with a password")


def _is_system_id(name: str, place: Place, lost: list[Problem]) -> bool:
    if 0 < len(name) <= config.SYSTEM_ID and "\0" not in name:
        return True
    wrong = f"{name!r} is left out: it has {len(name)} octets"
    lost.append(Problem(place, wrong, f"a system_id has 1 to {config.SYSTEM_ID}"))
    return False


def _password(password: bytes, place: Place, lost: list[Problem]) -> str:
    try:
        return password.decode()
    except UnicodeDecodeError:
        lost.append(Problem(place, "the password is not UTF-8", "save the file as UTF-8, or choose another password"))
        return password.decode("latin-1")


def _networks(login: Login, lost: list[Problem]) -> Table:
    """Nothing, which is anywhere, where the login says nothing or *.*.*.*."""
    if login.ips is None:
        return {}
    found = list(logins.networks(login.ips))
    for word in (word for word in found if isinstance(word, str)):
        lost.append(Problem(login.place, f"{word} is no network", "write all numbers that its * stands for"))
    networks = [str(each) for each in found if isinstance(each, IPv4Network)]
    return {} if "0.0.0.0/0" in networks else {"networks": networks}


# Which smsc-id their messages are for.


def _selectors(kannel: Kannel, people: Iterable[Login], accounts: Mapping[str, Table]) -> Iterator[routes.Selector]:
    """In the order in which opensmppbox asks: receiver, sender and box, sender, box, and all others."""
    box = kannel.opensmppbox
    default = box.route_to_smsc if box is not None else None
    boxes = {name: _box_id(login, box) for login in people if (name := login.system_id.decode("latin-1")) in accounts}
    ways = kannel.smsc_routes if box is not None else ()
    for user in kannel.sendsms_users:
        wanted = user.forced_smsc or user.default_smsc
        name = octets(user.username or "")
        if name in accounts and name not in boxes and (wanted != default or ways):
            yield routes.Selector(name, wanted, {"account": [name]})
    for way in ways:
        if way.receiver_shortcode:
            yield routes.Selector(f"to {way.smsc_id}", way.smsc_id, {}, way.receiver_shortcode)
    for both in (True, False):
        for way in ways:
            if not way.shortcode or bool(way.smsbox_id) != both:
                continue
            sources = _numbers(way.shortcode)
            match = {"source": sources}
            if both:
                match["account"] = [name for name, id in boxes.items() if id in way.smsbox_id]
            if match.get("account", True):
                yield routes.Selector(f"from {sources[0]}", way.smsc_id, match)
    for way in ways:
        names = [name for name, id in boxes.items() if id in way.smsbox_id and not way.shortcode]
        if names:
            yield routes.Selector(names[0], way.smsc_id, {"account": names})
    yield routes.Selector("all", default, {})


def _numbers(codes: Iterable[str]) -> list[str]:
    """With the plus and without, which only the TON may say."""
    return [routes.exactly(each) for code in codes for each in dict.fromkeys((code, code.lstrip("+")))]


def _box_id(login: Login, box: OpenSmppBox | None) -> str:
    own = login.system_id if box is not None and box.use_systemid_as_smsboxid else login.system_type
    return own.decode(errors="surrogateescape")


# Who gets what comes from mobiles.


def _mo_routes(
    kannel: Kannel,
    people: Iterable[Login],
    links: Mapping[str, tuple[Link, ...]],
    whole: Place,
    lost: list[Problem],
    tags: Tags | None,
) -> Iterator[Table]:
    """Short codes go before smsc-ids, and both together before either; then the first that names them."""
    names = [login.system_id.decode("latin-1") for login in people]
    boxes = {_box_id(login, kannel.opensmppbox): login.system_id.decode("latin-1") for login in people}
    smsbox = smsbox_account(names) if tags is not None and kannel.smsbox is not None else None
    if smsbox is not None and kannel.smsbox is not None and kannel.smsbox.smsbox_id:
        boxes[kannel.smsbox.smsbox_id] = smsbox
    for route in sorted(kannel.smsbox_routes, key=lambda each: (not each.shortcode, not each.smsc_id)):
        account = boxes.get(route.smsbox_id or "")
        if account is None:
            wrong = f"the smsbox-route of {route.smsbox_id} leads to no login of opensmppbox"
            lost.append(Problem(route.place, wrong, _HTTP if tags is None else "nor to this smsbox-id"))
            continue
        match: Table = {}
        if route.smsc_id:
            match["connector"] = [link.name for id in route.smsc_id for link in links.get(id, ())]
            if not match["connector"]:
                wrong = f"none of its smsc-ids is a connector: {'; '.join(route.smsc_id)}"
                lost.append(Problem(route.place, wrong, "this smsbox-route leads nothing anywhere"))
                continue
        if route.shortcode:
            match["destination"] = _numbers(route.shortcode)
        yield {"account": account, **({"match": match} if match else {})}
    if smsbox is not None:
        yield {"account": smsbox}
    elif len(names) == 1:
        yield {"account": names[0]}
    elif names:
        wrong = "other messages from mobiles go to no ESME; Kannel gave each to any box that was there"
        lost.append(Problem(whole, wrong, "add a [[mo_routes]] with the account that is to get them"))


# What is not said.


def _unsaid(conf: Conf) -> Iterator[Problem]:
    yield from verdicts.means_nothing(conf)
    yield from verdicts.refused(conf)
    for group in conf.groups:
        smsc = group.text("smsc")
        if group.name == "smsc" and smsc in SMSC_TYPES and smsc != "smpp":
            wrong = f"smsc {group.text('smsc-id') or ''} is left out: it is an smsc = {smsc}"
            yield Problem(group.place, wrong, _NO_SMSC.get(smsc, "only `smppgw serve --kannel` has such a connector"))
            continue
        if group.name in {"smsbox", "sms-service"}:
            yield Problem(group.place, f"group {group.name} has no place", _HTTP)
        for key in group.settings:
            if verdicts.of_key(group, key).fate is Fate.HONOURED and key not in _TAKEN.get(group.name, "").split():
                yield Problem(group.at(key), f"{key} has no place", _reason(group.name, key))


def _reason(group: str, key: str) -> str:
    default = _LISTS if group == "core" else _HTTP
    return next((reason for words, reason in _REASONS.get(group, {}).items() if key in words.split()), default)


def _differences(
    conf: Conf, kannel: Kannel, links: Mapping[str, tuple[Link, ...]], router: routes.Router, whole: Place
) -> Iterator[Problem]:
    """Where a key has a place, but its value is not quite what is there."""
    for group in conf.every("smsc"):
        if group.text("smsc") != "smpp":
            continue
        if connectors.encoding(group.text("alt-charset")) is None:
            wrong = f"alt-charset {group.text('alt-charset')} is not known: gsm0338 is in its place"
            yield Problem(group.at("alt-charset"), wrong, "gsm0338, latin1 and ascii are")
        if group.integer("interface-version") not in {None, 33, 34, 50}:
            yield Problem(group.at("interface-version"), "no such version of SMPP is known", "3.4 is in its place")
        if group.integer("wait-ack-expire") in {2, 3}:
            wrong = "a message without its answer waits for a person"
            yield Problem(group.at("wait-ack-expire"), wrong, "Kannel waits on for the answer")
        for one, other in (("source-addr-ton", "source-addr-npi"), ("dest-addr-ton", "dest-addr-npi")):
            if (one in group) != (other in group):
                there = one if one in group else other
                yield Problem(group.at(there), f"{there} does nothing", f"Kannel takes it only with {other}")
        if group.truth("use-ssl"):
            fix = "Kannel took any, unless it was told ssl-trusted-ca-file; see tls_ca and tls_name"
            yield Problem(group.at("use-ssl"), "the SMSC's certificate must be good for its host", fix)
    yield from _prefixes(conf, kannel, links)
    if len(router.regexes) > routes.MAX_REGEXES:
        yield Problem(
            whole,
            f"there are more than {routes.MAX_REGEXES} expressions of prefixes: the others count for nothing",
            "write them as prefixes",
        )
    for tlv in kannel.smpp_tlvs:
        if tlv.const is not None and not tlv.smsc_id:
            fix = "as Kannel does not either; name the smsc-id of those that are to send it"
            yield Problem(tlv.place, f"no connector sends the constant {tlv.name}", fix)


def _prefixes(conf: Conf, kannel: Kannel, links: Mapping[str, tuple[Link, ...]]) -> Iterator[Problem]:
    core = conf.single("core")
    of_core = core.at("unified-prefix") if core is not None else Place("kannel.conf", 0)
    places = {group.place: group.at("unified-prefix") for group in conf.every("smsc") if "unified-prefix" in group}
    told: dict[Place, None] = {}
    for smsc in kannel.smscs:
        rules = [other for _, other in connectors.replacements(smsc, kannel.core)] if smsc.smsc == "smpp" else []
        used = min((rule for rule in rules if rule.startswith("0")), key=len, default=None)
        if any(rule != used for rule in rules):
            told.setdefault(places.get(smsc.place, of_core))
    for place in told:
        wrong = "only the shortest prefix that begins with 0 is replaced, and a plus taken away"
        yield Problem(place, f"unified-prefix is too rich: {wrong}", "see [connectors.NAME.addresses]")
    if kannel.core.unified_prefix and any(
        link.smsc.allowed_prefix or link.smsc.denied_prefix or link.smsc.preferred_prefix
        for each in links.values()
        for link in each
    ):
        fix = "Kannel looks at them after unified-prefix"
        yield Problem(of_core, "routes look at numbers as ESMEs write them, but for a plus", fix)


def _refused(tables: Table, whole: Place) -> Iterator[Problem]:
    """What the gateway's own config says against the result."""
    try:
        config.parse(tables)
    except config.ConfigError as error:
        for problem in error.problems:
            if problem.path != "accounts":
                yield Problem(whole, f"the result is not good: {problem.path} {problem.wrong}", problem.fix)
