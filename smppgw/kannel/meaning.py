"""Read parsed groups as the models of what they mean."""

import typing
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any, TypeVar

from smppgw.kannel import regex
from smppgw.kannel.conf import Conf, ConfError, Group, Problem
from smppgw.kannel.model import (
    Comma,
    Connection,
    Core,
    DlrDb,
    Kannel,
    OpenSmppBox,
    Regex,
    SendsmsUser,
    SmppTlv,
    Smsbox,
    SmsboxRoute,
    Smsc,
    SmscRoute,
    SmsService,
)

T = TypeVar("T")


def model(conf: Conf) -> Kannel:
    """Raises ConfError with what Kannel would not start with: expressions that are none, and what is compulsory."""
    problems: list[Problem] = []

    def one(kind: type[T], name: str) -> T | None:
        group = conf.single(name)
        return None if group is None else _built(kind, group, problems)

    def every(kind: type[T], name: str) -> tuple[T, ...]:
        return tuple(_built(kind, group, problems) for group in conf.every(name))

    found = Kannel(
        core=one(Core, "core") or Core(),
        smscs=every(Smsc, "smsc"),
        smsbox=one(Smsbox, "smsbox"),
        sendsms_users=every(SendsmsUser, "sendsms-user"),
        sms_services=every(SmsService, "sms-service"),
        smsbox_routes=every(SmsboxRoute, "smsbox-route"),
        smpp_tlvs=every(SmppTlv, "smpp-tlv"),
        opensmppbox=one(OpenSmppBox, "opensmppbox"),
        smsc_routes=every(SmscRoute, "smsc-route"),
        dlr_db=one(DlrDb, "dlr-db"),
        connections=tuple(
            replace(_built(Connection, group, problems), kind=group.name.removesuffix("-connection"))
            for group in conf.groups
            if group.name.endswith("-connection")
        ),
    )
    problems.extend(_missing(found))
    if problems:
        raise ConfError(problems)
    return found


_READ: dict[Any, Callable[[Group, str], Any]] = {
    str: Group.text,
    int: Group.integer,
    float: Group.number,
    bool: Group.truth,
}


def _built(kind: type[T], group: Group, problems: list[Problem]) -> T:
    hints = typing.get_type_hints(kind, include_extras=True)
    values: dict[str, Any] = {"place": group.place}
    for each in fields(kind):  # type: ignore[arg-type]  # each model is a dataclass
        key = each.name.replace("_", "-")
        if each.name in values or key not in group:
            continue
        value = _value(group, key, hints[each.name], problems)
        if value is not None:
            values[each.name] = value
    return kind(**values)


def _value(group: Group, key: str, hint: Any, problems: list[Problem]) -> Any:
    """None: as if it were not there."""
    if hint == Regex:
        try:
            return regex.translate(group.text(key) or "")
        except ValueError as error:
            fix = "correct it"
            problems.append(Problem(group.at(key), f"{key} is no regular expression: {error}", fix))
            return None
    if hint == Comma:
        rules = (tuple(word.strip() for word in rule.split(",")) for rule in group.words(key))
        return tuple(rule for rule in rules if len(rule) > 1)
    if hint == tuple[str, ...]:
        return group.words(key)
    plain = next((each for each in typing.get_args(hint) if each is not type(None)), hint)
    return _READ[plain](group, key)


def _missing(kannel: Kannel) -> Iterator[Problem]:
    for smsc in kannel.smscs:
        if not smsc.smsc:
            yield Problem(smsc.place, "this smsc has no type", "add smsc = smpp, http or fake")
        elif smsc.smsc == "smpp":
            yield from _missing_smpp(smsc)
    for route in kannel.smsbox_routes:
        yield from _compulsory(route, "smsbox_id")
    for way in kannel.smsc_routes:
        yield from _compulsory(way, "smsc_id")
    for tlv in kannel.smpp_tlvs:
        yield from _compulsory(tlv, "name", "tag", "length", "type")
        if tlv.type not in {None, "integer", "nulterminated", "octetstring"}:
            yield Problem(tlv.place, f"there is no type {tlv.type!r}", "integer, nulterminated or octetstring")
    for user in kannel.sendsms_users:
        yield from _compulsory(user, "password")
    for service in kannel.sms_services:
        yield from _missing_service(service)
    if kannel.opensmppbox is not None:
        yield from _compulsory(kannel.opensmppbox, "our_system_id", "smpp_logins")


def _compulsory(each: Any, *names: str) -> Iterator[Problem]:
    for name in names:
        if getattr(each, name) is None:
            key = name.replace("_", "-")
            yield Problem(each.place, f"{key} is missing in this group", f"add {key} = ...")


def _missing_service(service: SmsService) -> Iterator[Problem]:
    if (service.keyword is None) == (service.keyword_regex is None):
        wrong = "neither keyword nor keyword-regex is" if service.keyword is None else "keyword and keyword-regex are"
        yield Problem(
            service.place, f"{wrong} in this group", "give one of them; keyword = default is for what has no other"
        )
    actions = (service.url, service.get_url, service.post_url, service.post_xml, service.file, service.text)
    if all(action is None for action in (*actions, service.exec)):
        yield Problem(service.place, "this sms-service does nothing", "add get-url, post-url, post-xml, file or text")


def _missing_smpp(smsc: Smsc) -> Iterator[Problem]:
    needed = {"host": smsc.host, "smsc-username": smsc.username, "smsc-password": smsc.smsc_password}
    for key, value in {**needed, "system-type": smsc.system_type}.items():
        if value is None:
            yield Problem(smsc.place, f"{key} is missing in this group", f"add {key} = ...")
    if smsc.port and smsc.receive_port:
        fix = "one smsc with port and another with receive-port, or transceiver-mode = true"
        yield Problem(smsc.place, "port and receive-port are in one smsc", fix)
    if len(smsc.service_type or "") > 6:
        yield Problem(smsc.place, "service-type has more than 6 characters", "shorten it")
    for key, limit in (("priority", 3), ("msg_id_type", 3), ("wait_ack_expire", 3)):
        if not 0 <= (getattr(smsc, key) or 0) <= limit:
            yield Problem(smsc.place, f"{key.replace('_', '-')} is out of range", f"0 to {limit}")
    if (smsc.validityperiod or 0) < 0:
        yield Problem(smsc.place, "validityperiod is less than 0", "minutes")
