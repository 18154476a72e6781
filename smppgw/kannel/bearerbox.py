"""What the commands of the admin port do to the gateway, and what of it Kannel's status shows."""

import os
import platform
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol
from urllib.parse import quote_from_bytes
from weakref import WeakKeyDictionary

import structlog

from protocol import pdus
from protocol.consts import EsmClass
from protocol.pdus import SubmitSm
from routing.message import Delivery, Message, Waiting, key_of
from smppgw import __version__
from smppgw import log as logging
from smppgw.kannel import connectors
from smppgw.kannel.conf import ConfError, Problem
from smppgw.kannel.connectors import Link, readable
from smppgw.kannel.counts import Flow
from smppgw.kannel.dlr import uuid
from smppgw.kannel.escapes import UNDEFINED
from smppgw.kannel.memo import Memo
from smppgw.kannel.model import Kannel, Smsc
from smppgw.kannel.setup import Setup
from smppgw.kannel.state import Phase, State
from smppgw.kannel.status import Box, Figures, Load, SmscLine, Stored, Traffic
from smppgw.kannel.tags import ANY
from smppgw.pipeline import Pipeline
from smppgw.returns import as_it_came
from smppgw.targets import Target

log = structlog.get_logger()

MOST_SHOWN = 10_000
"""Messages that store-status lists: the oldest."""

_ID = re.compile("([0-9a-f]{8})-([0-9a-f]{4})-4000-8000-0{8}([0-9a-f]{4})")
"""Of a message, as `uuid` writes it."""

_STORES = ("store-type", "store-file", "store-location")
_LEVELS = ("debug", "info", "warning", "error")
_UDHI = int(EsmClass.UDHI)


class Gateway(Protocol):
    """What is behind it."""

    again: bool

    @property
    def connectors(self) -> Mapping[str, Any]: ...
    @property
    def targets(self) -> Mapping[str, Target]: ...
    @property
    def links(self) -> Iterable[Any]: ...
    def unready(self) -> list[str]: ...
    def stop(self) -> None: ...
    def stop_now(self) -> None: ...


class Face(Protocol):
    """Whose commands these are."""

    state: State

    @property
    def gateway(self) -> Gateway: ...
    @property
    def pipeline(self) -> Pipeline: ...
    @property
    def kannel(self) -> Kannel: ...
    def change(self) -> None:
        """The smscs are others; raises ConfError."""

    def reread(self) -> Setup:
        """The files as they are now; raises ConfError."""

    def reload(self) -> None: ...
    def pump(self) -> None: ...
    async def reload_lists(self) -> bool: ...


class Row:
    """One link of the status: a group smsc, or one of its instances."""

    def __init__(self, smsc: Smsc, *, dead: bool) -> None:
        self.smsc = smsc
        self.dead = dead
        self.bind: object = None
        self.since = 0.0
        """When that bind was seen first."""
        self.was_up = False

    @property
    def admin_id(self) -> str:
        return self.smsc.id if self.smsc.smsc_admin_id is None else self.smsc.smsc_admin_id


class _Sampled:
    """What a connector had counted when it was looked at last; another of the same name begins anew."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.connector: object = None
        self.seen = (0, 0, 0, 0)
        self.flow = Flow(clock)


class Bearerbox:
    """`links` are the connectors of each smsc-id, as the gateway has them now."""

    def __init__(self, setup: Setup, face: Face, links: Mapping[str, tuple[Link, ...]]) -> None:
        self.links = links
        self.rows: list[Row] = list(_rows(setup.kannel.smscs))
        self._face = face
        self._gateway = face.gateway
        core = setup.conf.single("core")
        self._has_store = core is not None and any(key in core for key in _STORES)
        """Kannel counts what it stores only where it was told to."""
        self._clock = face.pipeline.clock
        self._started = self._clock()
        self._sampled: dict[str, _Sampled] = {}
        self._all = Flow(self._clock)
        self._bound: WeakKeyDictionary[Any, float] = WeakKeyDictionary()
        """When each link of an ESME was seen first."""

    @property
    def smscs(self) -> tuple[Smsc, ...]:
        """The groups that are there; who is stopped is a dead-start."""
        return tuple(dict.fromkeys(replace(row.smsc, dead_start=row.dead) for row in self.rows))

    def reloaded(self, smscs: Iterable[Smsc]) -> tuple[Smsc, ...]:
        """The files say these now; what was stopped and is as it was stays stopped."""
        before = {_plain(row.smsc): row for row in self.rows}
        self.rows = list(_rows(smscs))
        for row in self.rows:
            known = before.get(_plain(row.smsc))
            if known is not None:
                row.dead = known.dead
        return self.smscs

    # Commands

    @property
    def dying(self) -> bool:
        return self._face.state.is_over

    def unready(self) -> list[str]:
        return self._gateway.unready()

    def suspend(self) -> bool:
        return self._move(self._face.state.suspend)

    def isolate(self) -> bool:
        return self._move(self._face.state.isolate)

    def resume(self) -> bool:
        return self._move(self._face.state.resume)

    def _move(self, move: Callable[[], bool]) -> bool:
        """Tell those who ask nobody whether they may, and let go on what may again."""
        self.sample()  # what came until now was taken, or was not
        pipeline, state = self._face.pipeline, self._face.state
        done = move()
        pipeline.suspended = not state.sends
        pipeline.returns.isolated = not state.receives
        if state.sends:
            for target in self._gateway.targets.values():
                target.pump()
        self._face.pump()
        return done

    def shutdown(self) -> None:
        """The second time it waits for nothing."""
        if self._face.state.shutdown():
            self._gateway.stop()
        else:
            self._gateway.stop_now()

    def restart(self) -> None:
        self._gateway.again = True
        self.shutdown()

    def graceful_restart(self) -> None:
        self._face.reload()

    async def reload_lists(self) -> bool:
        return await self._face.reload_lists()

    def log_level(self, level: int) -> None:
        logging.configure(_LEVELS[min(max(level, 0), 3)], "console")

    def flush_dlr(self) -> bool:
        """Forget whose receipts are still to come, while suspended."""
        if self._face.state.phase is not Phase.SUSPENDED:
            return False
        pipeline = self._face.pipeline
        ledger = pipeline.ledger
        for id, record in list(ledger.waiting.items()):
            waiting = Waiting.unpack(record)
            sender = pipeline.returns.sources.get(waiting.connector)
            ledger.remove(id, waiting, sender.keys if sender is not None else as_it_came)
            pipeline.journal.turn.batch[key_of(id)] = None
        pipeline.journal.soon()
        log.warning("receipts that are still to come are forgotten")
        return True

    def stop_smsc(self, id: str) -> bool:
        hit = [row for row in self._of(id) if not row.dead]
        fresh = [Row(row.smsc, dead=True) if row in hit else row for row in self.rows]
        return bool(hit) and self._changed(fresh, "smsc stopped", id)

    def remove_smsc(self, id: str) -> bool:
        left = [row for row in self.rows if row.admin_id != id]
        return len(left) < len(self.rows) and self._changed(left, "smsc removed", id)

    def start_smsc(self, id: str) -> bool:
        """As the files say now."""
        dead = [row for row in self._of(id) if row.dead]
        fresh = [Row(row.smsc, dead=False) for row in self._fresh(id)] if dead else []
        if not fresh:
            return False
        at = self.rows.index(dead[0])
        before, after = self.rows[:at], [row for row in self.rows[at:] if row not in dead]
        return self._changed([*before, *fresh, *after], "smsc started", id)

    def add_smsc(self, id: str) -> bool:
        fresh = [] if self._of(id) else self._fresh(id)
        return bool(fresh) and self._changed([*self.rows, *fresh], "smsc added", id)

    def _of(self, id: str) -> list[Row]:
        return [row for row in self.rows if row.admin_id == id]

    def _fresh(self, id: str) -> list[Row]:
        """Of that admin id in the files as they are now."""
        try:
            setup = self._face.reread()
        except ConfError as error:
            _say(error.problems)
            return []
        return [row for row in _rows(setup.kannel.smscs) if row.admin_id == id]

    def _changed(self, rows: list[Row], what: str, id: str) -> bool:
        """With a set-up that cannot be, all is as it was."""
        before, self.rows = self.rows, rows
        try:
            self._face.change()
        except ConfError as error:
            self.rows = before
            _say(error.problems)
            return False
        log.info(what, smsc=id)
        return True

    def remove_message(self, id: str) -> bool:
        """One that is not with an SMSC now; who wrote it hears nothing."""
        found = _ID.fullmatch(id)
        if found is None:
            return True  # as Kannel answers for any that it does not have
        pipeline = self._face.pipeline
        message = pipeline.queued.get(int("".join(found.groups()), 16))
        if message is None:
            return True
        if message.offered or message.ticket is not None:
            return False
        message.memo = b""
        message.registered_delivery = 0
        pipeline.cancel(message)
        return True

    # What is shown

    def figures(self) -> Figures:
        self.sample()
        pipeline = self._face.pipeline
        now = self._clock()
        outboxes = sum(len(account.outbox) for account in pipeline.accounts.states.values() if account.front)
        total = self._all
        return Figures(
            version=version(),
            state=self._face.state.phase.value,
            seconds=now - self._started,
            sms=_traffic(total.received_sms, total.sent_sms),
            sms_out=len(pipeline.queued),
            stored=len(pipeline.queued) + outboxes if self._has_store else -1,
            dlr=_traffic(total.received_dlr, total.sent_dlr),
            dlr_waiting=len(pipeline.ledger),
            boxes=tuple(self._boxes(outboxes, now)),
            smscs=tuple(self._lines(now)),
        )

    def _boxes(self, queued: int, now: float) -> Iterator[Box]:
        smsbox = self._face.kannel.smsbox
        if smsbox is not None:
            ssl = smsbox.sendsms_port_ssl
            yield Box("smsbox", smsbox.smsbox_id or "", "127.0.0.1", queued, now - self._started, ssl)
        for link in self._gateway.links:
            if link.account is not None:
                since = self._bound.setdefault(link, now)
                yield Box("smsbox", link.account.name, link.peer, len(link.account.outbox), now - since)

    def _lines(self, now: float) -> Iterator[SmscLine]:
        slots: dict[str, int] = {}
        quiet = Flow(self._clock)
        for row in self.rows:
            link = None if row.dead else self._link(row)
            name = link.name if link is not None else ""
            slot = slots[name] = slots.get(name, -1) + 1
            sampled = self._sampled.get(name)
            flow = sampled.flow if sampled is not None and slot == 0 else quiet
            queued = sum(len(each.queue) for each in self._gateway.targets.values() if each.members.keys() == {name})
            yield SmscLine(
                readable(row.smsc.name), readable(row.admin_id), readable(row.smsc.id),
                "dead" if link is None else self._status(row, name, slot, now),
                _traffic(flow.received_sms, flow.sent_sms), _traffic(flow.received_dlr, flow.sent_dlr),
                flow.failed, queued if slot == 0 else 0,
            )  # fmt: skip

    def _link(self, row: Row) -> Link | None:
        same = connectors.same(row.smsc)
        return next((each for each in self.links.get(row.smsc.id, ()) if each.smsc == same), None)

    def _status(self, row: Row, name: str, slot: int, now: float) -> str:
        connector = self._gateway.connectors.get(name)
        bind: object = None
        if row.smsc.smsc != "smpp":  # it has no link of its own: whoever may be asked is online
            there = connector is not None and connector.up and getattr(connector.carrier, "is_played", True)
            bind = connector if there else None
        elif connector is not None:
            bind = next((each for each in connector.binds if each.slot == slot), None)
        if bind is not row.bind:
            row.bind, row.since = bind, now
        if bind is not None:
            row.was_up = True
            return f"online {max(0, int(now - row.since))}s"
        failed = row.was_up or bool(getattr(connector, "failures", None))
        return "re-connecting" if failed else "connecting"

    def sample(self) -> None:
        """About once a second: what connectors have counted since."""
        for name, connector in self._gateway.connectors.items():
            sampled = self._sampled_of(name)
            if sampled.connector is not connector:
                sampled.connector, sampled.seen = connector, (0, 0, 0, 0)
            counts = connector.counts
            seen = (
                counts.outcomes["sent"], counts.outcomes["never"], counts.mo, sum(counts.receipts.values()),
            )  # fmt: skip
            sent, failed, mo, receipts = (new - old for new, old in zip(seen, sampled.seen, strict=True))
            sampled.seen = seen
            sampled.flow.failed += failed
            if not self._face.state.receives:
                mo = receipts = 0  # they were asked to come again
            for flow in (sampled.flow, self._all):
                for traffic, count in ((flow.sent_sms, sent), (flow.received_sms, mo), (flow.received_dlr, receipts)):
                    if count:
                        traffic.add(count)
        for _ in self._lines(self._clock()):
            pass  # so that the time of a bind is known to the second
        for _ in self._boxes(0, self._clock()):
            pass

    def _sampled_of(self, connector: str) -> _Sampled:
        found = self._sampled.get(connector)
        if found is None:
            found = self._sampled[connector] = _Sampled(self._clock)
        return found

    def reported(self, smsc_id: bytes) -> None:
        """A report was made of what an SMSC answered, which Kannel counts as one that came from it."""
        self._all.received_dlr.add()
        links = self.links.get(smsc_id.decode(errors="surrogateescape"), ()) if smsc_id else ()
        for link in links[:1]:
            self._sampled_of(link.name).flow.received_dlr.add()

    def stored(self) -> Iterator[Stored]:
        shown = 0
        for message in self._face.pipeline.queued.values():
            yield _queued(message)
            shown += 1
            if shown == MOST_SHOWN:
                return
        for account in self._face.pipeline.accounts.states.values():
            if account.front is None:
                continue
            for delivery in account.outbox.waiting:
                yield _waiting(delivery)
                shown += 1
                if shown == MOST_SHOWN:
                    return


def version() -> str:
    """In the form of Kannel's, for those who look for it."""
    system = os.uname()
    return (
        f"Kannel bearerbox version `smppgw-{__version__}'.\n"
        f"System {system.sysname}, release {system.release}, version {system.version}, machine {system.machine}.\n"
        f"Hostname {system.nodename}, IP 127.0.0.1.\n"
        f"Using {platform.python_implementation()} {platform.python_version()}.\n"
    )


def _say(problems: Iterable[Problem]) -> None:
    for problem in problems:
        log.error("config refused", where=problem.path, problem=problem.wrong, fix=problem.fix)


def _plain(smsc: Smsc) -> Smsc:
    return replace(smsc, place=connectors.NOWHERE, dead_start=False)


def _rows(smscs: Iterable[Smsc]) -> Iterator[Row]:
    for smsc in smscs:
        for _ in range(max(1, smsc.instances)):
            yield Row(smsc, dead=smsc.dead_start)


def _traffic(received: Any, sent: Any) -> Traffic:
    return Traffic(received.total, sent.total, Load(*received.loads), Load(*sent.loads))


def _queued(message: Message) -> Stored:
    pdu = message.pdu or pdus.decode_submit(message.body)
    memo = Memo.readable(message.memo) or Memo()
    head, text = _parts(pdu)
    smsc = "" if message.tag in {"", ANY} or message.tag.startswith("?") else message.tag
    return Stored(
        uuid(message.public).decode(), "MT-PUSH", _time(message.born), _text(memo.sender or message.source),
        _text(memo.receiver or message.destination), smsc, _text(memo.boxc_id), _flags(memo, memo.mask), _quoted(head),
        _quoted(text),
    )  # fmt: skip


def _parts(pdu: SubmitSm) -> tuple[bytes, bytes]:
    """Its user data header, and its text as it stands on the wire."""
    if pdu.esm_class & _UDHI and pdu.short_message:
        end = min(pdu.short_message[0] + 1, len(pdu.short_message))
        return pdu.short_message[:end], pdu.short_message[end:]
    return b"", pdu.short_message


def _waiting(delivery: Delivery) -> Stored:
    kind = "DLR-MO" if delivery.state else "MO"
    return Stored(uuid(delivery.id).decode(), kind, _time(delivery.born), "", "", "", "", "-1:-1:-1:-1:-1", "", "")


def _flags(memo: Memo, mask: int) -> str:
    return f"{memo.mclass}:{memo.coding}:{memo.mwi}:{memo.compress}:{mask or UNDEFINED}"


def _time(when: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(when))


def _text(octets_: bytes) -> str:
    return octets_.decode("utf-8", "replace")


def _quoted(octets_: bytes) -> str:
    return quote_from_bytes(octets_, safe="").replace("%20", "+")
