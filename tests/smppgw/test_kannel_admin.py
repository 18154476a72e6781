"""The commands of the admin port: who may give them, and their replies, as bearerbox 1.4.5 has them."""

import asyncio
import json
from collections.abc import Iterable

import pytest

from smppgw.kannel.admin import ADDRESSES, MOST_WAIT, MOST_WAITING, Admin, Answer, Asked, Patience
from smppgw.kannel.model import Core
from smppgw.kannel.status import Figures, Stored

FIGURES = Figures("Kannel bearerbox version `1'.\n", "running", 0)


class Box:
    """One that has an smsc "there" and does each thing once."""

    def __init__(self) -> None:
        self.did: list[str] = []
        self.dying = False
        self.reasons: list[str] = []

    def _once(self, what: str) -> bool:
        if what in self.did:
            return False
        self.did.append(what)
        return True

    def unready(self) -> list[str]:
        return self.reasons

    def figures(self) -> Figures:
        return FIGURES

    def stored(self) -> Iterable[Stored]:
        return ()

    def suspend(self) -> bool:
        return self._once("suspend")

    def isolate(self) -> bool:
        return self._once("isolate")

    def resume(self) -> bool:
        return self._once("resume")

    def shutdown(self) -> None:
        self.dying = True

    def restart(self) -> None:
        self.did.append("restart")

    def graceful_restart(self) -> None:
        self.did.append("graceful-restart")

    def flush_dlr(self) -> bool:
        return "suspend" in self.did

    def stop_smsc(self, id: str) -> bool:
        return id == "there"

    def start_smsc(self, id: str) -> bool:
        return id == "there"

    def add_smsc(self, id: str) -> bool:
        return id == "there"

    def remove_smsc(self, id: str) -> bool:
        return id == "there"

    async def reload_lists(self) -> bool:
        return self._once("reload")

    def log_level(self, level: int) -> None:
        self.did.append(f"log-level {level}")

    def remove_message(self, id: str) -> bool:
        return id.endswith("0")


def port(**core: str) -> tuple[Admin, Box, list[float]]:
    box, now = Box(), [100.0]
    found = Core(**{"admin_password": "secret", **core})  # type: ignore[arg-type]
    return Admin(lambda: found, box, lambda: now[0]), box, now


def ask(admin: Admin, path: str, ip: str = "127.0.0.1", accept: str = "", **query: str) -> Answer:
    found = asyncio.run(admin.answer(Asked(path, query, accept, ip)))
    assert found is not None
    return found


def said(admin: Admin, path: str, **query: str) -> str:
    return ask(admin, path, password="secret", **query).body


@pytest.mark.parametrize(
    ("command", "first", "second"),
    [
        ("suspend", "Kannel suspended", "Already suspended"),
        ("isolate", "Kannel isolated from message providers", "Already isolated"),
        ("resume", "Running resumed", "Already running"),
        ("reload-lists", "Black/white lists re-loaded", "Could not re-load lists"),
        ("restart", "Restarting.....", "Restarting....."),
        ("graceful-restart", "Restarting gracefully.....", "Restarting gracefully....."),
        ("shutdown", "Bringing system down", "Bringing system down"),
    ],
)
def test_a_command_says_what_it_did_or_that_it_was_so(command: str, first: str, second: str) -> None:
    admin, _, _ = port()
    assert [said(admin, f"/{command}"), said(admin, f"/cgi-bin/{command}.txt")] == [first, second]


def test_the_queue_of_receipts_is_flushed_while_suspended_alone() -> None:
    admin, _, _ = port()
    assert said(admin, "/flush-dlr") == "Suspend Kannel before trying to flush DLR queue"
    said(admin, "/suspend")
    assert said(admin, "/flush-dlr") == "DLR queue flushed"


@pytest.mark.parametrize(
    ("command", "done", "could_not"),
    [
        ("start-smsc", "re-started", "re-start"),
        ("stop-smsc", "shut down", "shut down"),
        ("add-smsc", "added", "add"),
        ("remove-smsc", "removed", "remove"),
    ],
)
def test_smscs_are_named_by_their_admin_id(command: str, done: str, could_not: str) -> None:
    admin, _, _ = port()
    assert said(admin, f"/{command}") == "SMSC id not given"
    assert said(admin, f"/{command}", smsc="there") == f"SMSC `there' {done}"
    assert said(admin, f"/{command}", smsc="") == f"Could not {could_not} smsc-id `'"


def test_a_log_level_is_what_atoi_reads() -> None:
    admin, box, _ = port()
    assert said(admin, "/log-level") == "New level not given"
    assert [said(admin, "/log-level", level=level) for level in ("2", "010", "-1x", "x", "", "9" * 5000, "٢")] == [
        f"log-level set to {level}" for level in (2, 10, -1, 0, 0, -1, 0)
    ]
    assert box.did == [f"log-level {level}" for level in (2, 10, -1, 0, 0, -1, 0)]


def test_a_message_is_removed_by_an_id_of_36_characters() -> None:
    admin, _, _ = port()
    there, gone = "0" * 36, "1" * 36
    assert said(admin, "/remove-message") == "Message id not given"
    assert said(admin, "/remove-message", id="1") == "Message id should be 36 characters long"
    assert said(admin, "/remove-message", id=there) == f"Message id `{there}' removed"
    assert said(admin, "/remove-message", id=gone) == f"Could not remove message id `{gone}'"


def test_a_command_that_there_is_not_needs_no_password() -> None:
    admin, _, _ = port()
    answer = ask(admin, "/cgi-bin/foo.html")
    assert answer.content_type == "text/html"
    assert "<p>Unknown command `/cgi-bin/foo.html'.<br>\nPossible commands are:<br>\nstatus<br>\n" in answer.body
    assert ask(admin, "/").body.startswith("Unknown command `/'.\nPossible commands are:\nstatus\nstore-status\n")
    for path in ("//resume", "/status/", "/STATUS", "/statusx", "/cgi-bin/cgi-bin/status"):
        assert ask(admin, path).body.startswith("Unknown command")


def test_all_behind_the_first_dot_is_the_extension() -> None:
    admin, _, _ = port()
    assert ask(admin, "/resume.foo.html", password="secret").content_type == "text/plain"
    assert (
        ask(admin, "/resume.html.foo", accept="text/vnd.wap.wml", password="secret").content_type == "text/vnd.wap.wml"
    )


def test_the_status_is_open_until_it_has_a_password_of_its_own() -> None:
    admin, _, _ = port()
    assert ask(admin, "/status").body.startswith("Kannel bearerbox")
    assert ask(admin, "/store-status").body.startswith("[SMS ID]")
    admin, _, _ = port(status_password="look")
    assert ask(admin, "/status").body == "Denied"
    assert ask(admin, "/status.xml", password="wrong").body == '<?xml version="1.0"?>\n<gateway>\nDenied</gateway>\n'
    for password in ("look", "secret"):
        assert ask(admin, "/status", password=password).body.startswith("Kannel bearerbox")
    assert ask(admin, "/suspend", password="look").body == "Denied"


def test_without_an_admin_password_nobody_gives_commands() -> None:
    box = Box()
    admin = Admin(Core, box, lambda: 0.0)
    assert ask(admin, "/suspend").body == ask(admin, "/suspend", password="").body == "Denied"
    assert not box.did


def test_a_denied_address_hears_nothing() -> None:
    admin, _, _ = port(admin_deny_ip="*.*.*.*", admin_allow_ip="127.0.0.1;10.*.*.*")
    for path in ("/status", "/health", "/nonsense"):
        assert asyncio.run(admin.answer(Asked(path, {}, "", "192.168.1.1"))) is None
        assert asyncio.run(admin.answer(Asked(path, {}, "", "10.1.2.3"))) is not None


def test_each_wrong_password_waits_a_second_longer_until_a_good_one() -> None:
    admin, _, now = port()
    delays = []
    for _ in range(4):
        answer = ask(admin, "/suspend", password="wrong")
        now[0] += answer.delay
        delays.append(answer.delay)
    assert delays == [0, 1, 2, 3]
    assert ask(admin, "/resume", password="secret").delay == 0
    assert ask(admin, "/suspend", password="wrong").delay == 0


def test_guesses_all_at_once_wait_for_each_other_and_so_does_the_right_one() -> None:
    patience = Patience(lambda: 0.0)
    assert [patience.after("10.0.0.1", good=False) for _ in range(4)] == [0, 1, 3, 6]
    assert patience.after("10.0.0.2", good=True) == 0
    assert patience.after("10.0.0.1", good=True) == 6


def test_guesses_without_end_keep_their_address_out_for_a_minute_at_most() -> None:
    now = [0.0]
    patience = Patience(lambda: now[0])
    for _ in range(5000):
        patience.after("10.0.0.1", good=False)
    assert patience.after("10.0.0.1", good=True) is None
    now[0] += MOST_WAIT
    assert patience.after("10.0.0.1", good=True) == 0
    for _ in range(100):
        now[0] += patience.after("10.0.0.1", good=False) or 0.0
    assert (patience.after("10.0.0.1", good=False) or 0.0) <= MOST_WAIT


def test_when_too_many_of_an_address_wait_the_next_is_refused_whatever_it_knows() -> None:
    admin, box, now = port()
    waits = [ask(admin, "/suspend", password="wrong").delay for _ in range(MOST_WAITING + 1)]
    assert waits == [0, 1, 3, 6, 10, 15, 21, 28, 36, 45, 55]
    for password in ("wrong", "secret"):
        assert ask(admin, "/suspend", password=password) == Answer("Denied", "text/plain")
    assert box.did == []
    assert ask(admin, "/suspend", "127.0.0.2", password="secret").body == "Kannel suspended"
    now[0] += 1
    assert ask(admin, "/resume", password="secret").delay == 54


def test_what_is_remembered_of_wrong_passwords_has_a_limit() -> None:
    patience = Patience(lambda: 0.0)
    for n in range(ADDRESSES + 1):
        patience.after(str(n), good=False)
    assert patience.after("0", good=False) == 0
    assert patience.after(str(ADDRESSES), good=False) == 1


def test_nothing_changes_any_more_once_it_goes_down() -> None:
    admin, _, _ = port()
    said(admin, "/shutdown")
    for command in ("suspend", "isolate", "resume", "restart", "reload-lists", "stop-smsc"):
        assert said(admin, f"/{command}") == "Avalanche has already started, too late to save the sheeps"
    assert said(admin, "/status").startswith("Kannel bearerbox")
    assert said(admin, "/shutdown") == "Bringing system down"


def test_there_is_a_status_for_programs_and_health_for_whoever_restarts_it() -> None:
    admin, box, _ = port(status_password="look")
    assert json.loads(ask(admin, "/status.json", password="look").body)["state"] == "running"
    assert ask(admin, "/metrics", password="look").metrics
    assert ask(admin, "/metrics").body == "Denied"
    assert ask(admin, "/health").status == 200
    box.reasons = ["starting or stopping"]
    assert ask(admin, "/health").status == 503
