"""Where would a message go, and why? Nothing is sent, counted or taken a turn of."""

from protocol import pdus, tlv
from protocol.consts import Status
from protocol.pdus import SubmitSm
from routing.admission import plausible
from routing.message import Message
from routing.rules import Incoming
from routing.senders import Pool
from routing.table import Route
from smppgw import values
from smppgw.admin.models import MoRouteTrial, RouteTrial, Sender, TriedRoute, TryMoRoute, TryRoute
from smppgw.admin.running import Refused, Running
from smppgw.admin.views import account_of, connector_of


def try_route(running: Running, asked: TryRoute) -> RouteTrial:
    """Raises Refused."""
    account_of(running, asked.account)
    message = _message(running, asked)
    pipeline = running.pipeline
    table = pipeline.table
    trial = RouteTrial(
        accepted=False,
        status=Status.RINVDSTADR.name,
        tried=[
            TriedRoute(route=each.name, matched=not each.failed, why=each.failed) for each in table.explain(message)
        ],
        carrier=pipeline.carriers.of(message.destination),
    )
    if not plausible(message.destination):
        trial.notes.append("the destination is no address: no submit with it is taken")
        return trial
    if table.asks_carrier(message) and pipeline.lookup is not None and pipeline.lookup.asks(message.destination):
        trial.notes.append("the carrier would be looked up first: the way may be another one then")
    route = table.choose(message)
    if route is None:
        trial.notes.append("no route matches")
        return trial
    trial.route = route.name
    if route.pool is not None and message.source in (b"", route.pool.name):
        trial.sender = _sender(route.pool, message)
        if trial.sender is None:
            trial.status = Status.RINVSRCADR.name
            trial.notes.append("no sender of the pool serves the destination")
            return trial
    trial.accepted, trial.status = True, Status.ROK.name
    _where(running, trial, route, message)
    return trial


def _message(running: Running, asked: TryRoute) -> Message:
    try:
        octets = {field: getattr(asked, field).encode("latin-1") for field in ("source", "destination", "service_type")}
    except UnicodeEncodeError:
        raise Refused(422, "The request is not valid", "addresses are octets: use Latin-1", "destination") from None
    try:
        tlvs = tlv.encode([(values.tag(tag), values.tlv(value)) for tag, value in asked.tlvs.items()])
    except ValueError as wrong:  # Wrong, or half a surrogate pair
        raise Refused(422, "The request is not valid", str(wrong), "tlvs") from None
    pdu = SubmitSm(
        octets["service_type"], source_addr=octets["source"], destination_addr=octets["destination"],
        data_coding=asked.coding, tlvs=tlvs,
    )  # fmt: skip
    now = running.pipeline.clock()
    message = Message(
        0, asked.account, pdus.encode_submit(pdu), pdu.source_addr, pdu.destination_addr, pdu.service_type, 0,
        pdu.data_coding, 0, now, now + 60.0, pdu=pdu,
    )  # fmt: skip
    message.tag = asked.tag
    return message


def _sender(pool: Pool, message: Message) -> Sender | None:
    found = pool.peek(message.destination, 0)
    if found is None:
        return None
    return Sender(
        pool=pool.name.decode("latin-1"), value=found.sender.value, address=found.address.decode("latin-1"),
        ton=found.ton, npi=found.npi,
    )  # fmt: skip


def _where(running: Running, trial: RouteTrial, route: Route, message: Message) -> None:
    """As Pipeline does it: the first target that is not known to be down, else the first."""
    targets = running.targets
    chosen = targets[route.to]
    if chosen.hopeless:
        for name in route.fallback:
            other = targets.get(name)
            if other is not None and not other.hopeless:
                chosen, trial.fallback = other, True
                break
    trial.target = chosen.name
    trial.kind = "group" if chosen.name in running.settings.groups else "connector"
    trial.member = chosen.would_take(message.part) or ""
    if not trial.member:
        trial.notes.append("its target is down now: it would wait there")
    elif chosen.queue:
        trial.notes.append(f"{len(chosen.queue)} messages wait before it")
    if running.pipeline.journal.error is not None:
        trial.notes.append(f"nothing is taken now: the store refuses: {running.pipeline.journal.error}")


def try_mo_route(running: Running, asked: TryMoRoute) -> MoRouteTrial:
    """Raises Refused."""
    connector_of(running, asked.connector)
    try:
        incoming = Incoming(asked.connector, asked.source.encode("latin-1"), asked.destination.encode("latin-1"))
    except UnicodeEncodeError:
        raise Refused(422, "The request is not valid", "addresses are octets: use Latin-1", "destination") from None
    table = running.pipeline.returns.mo_table
    tried = table.explain(incoming)
    name = table.choose(incoming)
    by_rule = bool(tried) and not tried[-1].failed
    why = "a route matches" if by_rule else "its sender pool owns the number" if name else "no route matches"
    return MoRouteTrial(
        tried=[TriedRoute(route=each.name, matched=not each.failed, why=each.failed) for each in tried],
        account=name or "",
        why=why,
    )
