"""The commands of Kannel's admin port: who may give them, and what each answers."""

import hmac
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from smppgw.kannel import status
from smppgw.kannel.access import is_allowed_ip
from smppgw.kannel.model import Core
from smppgw.kannel.request import integer
from smppgw.kannel.status import Figures, Form, Stored

MOST_DELAY = 10.0
"""Seconds that one wrong password adds at most."""

MOST_WAIT = 60.0
"""Seconds that an address waits at most, so that it is not locked out for good by who guesses from there."""

MOST_WAITING = 10
"""Requests of an address that wait; what comes beside them is refused at once, and its password not looked at."""

ADDRESSES = 1000
"""Those remembered for wrong passwords; the oldest is forgotten for a newer one."""

ID_LENGTH = 36
"""Of a message's id as a UUID."""

_INTEGER = re.compile(r"\s*[+-]?\d", re.ASCII)


class Asked(NamedTuple):
    """One request."""

    path: str
    """As it came, without its query."""
    query: Mapping[str, str]
    """Of a name given twice the first."""
    accept: str
    ip: str


class Answer(NamedTuple):
    """What to reply, and how long to wait before it."""

    body: str
    content_type: str
    delay: float = 0.0
    status: int = 200
    metrics: bool = False
    """The body is that of the metrics, which are not written here."""


class Commands(Protocol):
    """Who does what is asked for; False is "it could not be done", or "it is so already"."""

    @property
    def dying(self) -> bool:
        """It has begun to end."""

    def unready(self) -> list[str]:
        """Why it does not serve now; nothing when it does."""

    def figures(self) -> Figures: ...
    def stored(self) -> Iterable[Stored]: ...
    def suspend(self) -> bool: ...
    def isolate(self) -> bool: ...
    def resume(self) -> bool: ...
    def shutdown(self) -> None: ...
    def restart(self) -> None: ...
    def graceful_restart(self) -> None: ...
    def flush_dlr(self) -> bool: ...
    def stop_smsc(self, id: str) -> bool: ...
    def start_smsc(self, id: str) -> bool: ...
    def add_smsc(self, id: str) -> bool: ...
    def remove_smsc(self, id: str) -> bool: ...
    async def reload_lists(self) -> bool: ...
    def log_level(self, level: int) -> None: ...
    def remove_message(self, id: str) -> bool: ...


class Admin:
    """`core` is asked for at each request, since a reload may change it; `clock` counts seconds, from anywhere."""

    def __init__(self, core: Callable[[], Core], commands: Commands, clock: Callable[[], float]) -> None:
        self._core = core
        self._commands = commands
        self._patience = Patience(clock)

    async def answer(self, asked: Asked) -> Answer | None:
        """None: who asks is not let in, and hears nothing."""
        core = self._core()
        if not is_allowed_ip(core.admin_allow_ip, core.admin_deny_ip, asked.ip):
            return None
        if asked.path == "/health":
            reasons = self._commands.unready()
            return _json({"alive": True, "ready": not reasons, "reasons": reasons}, status=503 if reasons else 200)
        command, extension = named(asked.path)
        form, content_type = status.form(extension, asked.accept)
        if command not in status.COMMANDS and command != "metrics":
            return Answer(status.page(form, status.unknown(form, asked.path)), content_type)
        accepted = self._passwords(command, core)
        given = asked.query.get("password", "").encode("utf-8", "surrogateescape")
        good = accepted is None or any(hmac.compare_digest(given, each) for each in accepted)
        delay = self._patience.after(asked.ip, good=good) if accepted is not None else 0.0
        if not good or delay is None:
            return Answer(status.page(form, "Denied"), content_type, delay or 0.0)
        return (await self._answer(asked, command, form, content_type))._replace(delay=delay)

    async def _answer(self, asked: Asked, command: str, form: Form, content_type: str) -> Answer:
        if command == "metrics":
            return Answer("", "", metrics=True)
        if command == "status" and named(asked.path)[1] == "json":
            return _json(status.json(self._commands.figures()))
        return Answer(status.page(form, await self._content(command, form, asked.query)), content_type)

    def _passwords(self, command: str, core: Core) -> list[bytes] | None:
        """Those that the command is given with; None: anybody may."""
        passwords = [core.admin_password]
        if command in {"status", "store-status", "metrics"}:
            if core.status_password is None:
                return None
            passwords.append(core.status_password)
        return [each.encode("utf-8", "surrogateescape") for each in passwords if each is not None]

    async def _content(self, command: str, form: Form, query: Mapping[str, str]) -> str:
        commands = self._commands
        if command == "status":
            return status.status(form, commands.figures())
        if command == "store-status":
            return status.store(form, commands.stored())
        return status.words(form, await self._said(command, query))

    async def _said(self, command: str, query: Mapping[str, str]) -> str:
        commands = self._commands
        if commands.dying and command in _NOT_WHEN_DYING:
            return "Avalanche has already started, too late to save the sheeps"
        if command in _SMSC:
            return self._smsc(command, query.get("smsc"))
        if command == "log-level":
            return self._log_level(query.get("level"))
        if command == "remove-message":
            return self._remove_message(query.get("id"))
        if command == "reload-lists":
            return "Black/white lists re-loaded" if await commands.reload_lists() else "Could not re-load lists"
        do: Callable[[], bool | None] = getattr(commands, command.replace("-", "_"))
        done, was_so = _PLAIN[command]
        return was_so if do() is False else done

    def _smsc(self, command: str, id: str | None) -> str:
        if id is None:
            return "SMSC id not given"
        done, could_not = _SMSC[command]
        do: Callable[[str], bool] = getattr(self._commands, command.replace("-", "_"))
        return f"SMSC `{id}' {done}" if do(id) else f"Could not {could_not} smsc-id `{id}'"

    def _log_level(self, given: str | None) -> str:
        if given is None:
            return "New level not given"
        level = integer(given.encode(errors="surrogateescape")) if _INTEGER.match(given) else 0
        self._commands.log_level(level)
        return f"log-level set to {level}"

    def _remove_message(self, id: str | None) -> str:
        if id is None:
            return "Message id not given"
        if len(id) != ID_LENGTH:
            return f"Message id should be {ID_LENGTH} characters long"
        removed = self._commands.remove_message(id)
        return f"Message id `{id}' removed" if removed else f"Could not remove message id `{id}'"


_PLAIN = {
    "suspend": ("Kannel suspended", "Already suspended"),
    "isolate": ("Kannel isolated from message providers", "Already isolated"),
    "resume": ("Running resumed", "Already running"),
    "shutdown": ("Bringing system down", ""),
    "restart": ("Restarting.....", ""),
    "graceful-restart": ("Restarting gracefully.....", ""),
    "flush-dlr": ("DLR queue flushed", "Suspend Kannel before trying to flush DLR queue"),
}
_SMSC = {
    "stop-smsc": ("shut down", "shut down"),
    "start-smsc": ("re-started", "re-start"),
    "add-smsc": ("added", "add"),
    "remove-smsc": ("removed", "remove"),
}
_NOT_WHEN_DYING = frozenset({*_SMSC, "suspend", "isolate", "resume", "restart", "flush-dlr", "reload-lists"})


def _json(what: Any, status: int = 200) -> Answer:
    return Answer(json.dumps(what), "application/json", status=status)


def named(path: str) -> tuple[str, str]:
    """The command in a path, and the extension: all behind the first dot."""
    name = path.removeprefix("/").removeprefix("cgi-bin/")
    command, _, extension = name.partition(".")
    return command, extension


class Patience:
    """Each wrong password costs its address a second more than the one before, and so do guesses all at once.

    What that address asks next, rightly or wrongly, is answered after that; others wait for nothing."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._wrong: dict[str, _Wrong] = {}
        """By address."""

    def after(self, ip: str, *, good: bool) -> float | None:
        """Seconds to wait before the answer; None: too many wait, so that this one is refused, also if it is right."""
        now = self._clock()
        before = self._wrong.get(ip, _NONE)
        waiting = [end for end in before.waiting if end > now]
        if len(waiting) >= MOST_WAITING:
            return None
        until = max(before.until, now)
        self._wrong.pop(ip, None)
        if not good:
            until = min(until + min(before.times, MOST_DELAY), now + MOST_WAIT)
            if len(self._wrong) >= ADDRESSES:
                del self._wrong[next(iter(self._wrong))]
            self._wrong[ip] = _Wrong(before.times + 1, until, [*waiting, until])
        return until - now


class _Wrong(NamedTuple):
    """What an address has got wrong."""

    times: int
    until: float
    """When it need wait no longer."""
    waiting: list[float]
    """When each of its requests is answered."""


_NONE = _Wrong(0, 0.0, [])
