"""The admin port: one row after the other, since most of them change what the next finds."""

from tests.interop.kannel.row import Ask, Row, mo, send
from tests.interop.kannel.table.dlr import DONE


def admin(name: str, path: str, headers: dict[str, str] | None = None) -> Row:
    return Row(f"admin: {name}", "admin", Ask(path, headers=headers or {}, port="admin"))


def unlocked(name: str, path: str) -> Row:
    return Row(f"open: {name}", "open", Ask(path, port="admin"))


def sends(name: str, query: str = "smsc=one") -> Row:
    return send(f"admin: {name}", query, scene="admin", receipts=(DONE,))


def phone(name: str) -> Row:
    return mo(f"admin: {name}", b"hello", scene="admin")


FORMATS = ("", ".txt", ".html", ".xml", ".wml", ".json", ".foo")

ADMIN: tuple[Row, ...] = (
    # Looking.
    *(admin(f"status{form} at first", f"/status{form}?password=secret") for form in FORMATS),
    admin("status with the prefix", "/cgi-bin/status.txt?password=secret"),
    admin("status by the status password", "/status.txt?password=look"),
    admin("status with a wrong password", "/status.txt?password=wrong"),
    admin("status without a password", "/status.txt"),
    admin("status.xml without a password", "/status.xml"),
    admin("status by Accept of html", "/status?password=secret", {"Accept": "text/html"}),
    admin("status by Accept of plain", "/status?password=secret", {"Accept": "text/plain"}),
    admin("status by Accept of xml", "/status?password=secret", {"Accept": "text/xml"}),
    admin("status by Accept of wml", "/status?password=secret", {"Accept": "text/vnd.wap.wml"}),
    admin("status by Accept of a browser", "/status?password=secret", {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}),
    admin("status with parts after", "/status.txt/more?password=secret"),
    *(admin(f"store-status{form} at first", f"/store-status{form}?password=secret") for form in FORMATS[:5]),
    admin("unknown command", "/nonsense?password=secret"),
    admin("unknown command as xml", "/nonsense.xml?password=secret"),
    admin("unknown command as html", "/nonsense.html?password=secret"),
    admin("unknown command without a password", "/nonsense"),
    admin("root", "/?password=secret"),
    admin("prefix alone", "/cgi-bin/?password=secret"),
    # Working.
    sends("a message"),
    sends("a message with receipts", "smsc=one&dlr-mask=31"),
    phone("a message from a mobile"),
    *(admin(f"status{form} after work", f"/status{form}?password=secret") for form in FORMATS[:5]),
    # Levels, lists, messages.
    admin("log-level", "/log-level?password=secret&level=1"),
    admin("log-level.html", "/log-level.html?password=secret&level=0"),
    admin("log-level without a level", "/log-level?password=secret"),
    admin("log-level of letters", "/log-level?password=secret&level=abc"),
    admin("log-level with the status password", "/log-level?password=look&level=0"),
    admin("reload-lists", "/reload-lists?password=secret"),
    admin("reload-lists without a password", "/reload-lists"),
    admin("remove-message without an id", "/remove-message?password=secret"),
    admin("remove-message with a short id", "/remove-message?password=secret&id=abc"),
    admin("remove-message of nothing", "/remove-message?password=secret&id=00000000-0000-0000-0000-000000000000"),
    admin("flush-dlr while running", "/flush-dlr?password=secret"),
    # Connections.
    admin("stop-smsc without one", "/stop-smsc?password=secret"),
    admin("stop-smsc of nobody", "/stop-smsc?password=secret&smsc=nobody"),
    admin("stop-smsc by its id", "/stop-smsc?password=secret&smsc=one"),
    admin("start-smsc without one", "/start-smsc?password=secret"),
    admin("start-smsc of nobody", "/start-smsc?password=secret&smsc=nobody"),
    admin("start-smsc that is running", "/start-smsc?password=secret&smsc=first"),
    admin("start-smsc that is dead", "/start-smsc?password=secret&smsc=two"),
    admin("stop-smsc", "/stop-smsc.txt?password=secret&smsc=two"),
    admin("add-smsc without one", "/add-smsc?password=secret"),
    admin("add-smsc of nobody", "/add-smsc?password=secret&smsc=nobody"),
    admin("add-smsc that there is", "/add-smsc?password=secret&smsc=two"),
    admin("remove-smsc without one", "/remove-smsc?password=secret"),
    admin("remove-smsc of nobody", "/remove-smsc?password=secret&smsc=nobody"),
    admin("remove-smsc", "/remove-smsc?password=secret&smsc=two"),
    admin("status without it", "/status.txt?password=secret"),
    sends("a message for it", "smsc=two"),
    admin("add-smsc again", "/add-smsc?password=secret&smsc=two"),
    admin("connections without a password", "/stop-smsc?smsc=first"),
    # Suspended.
    admin("resume while running", "/resume?password=secret"),
    admin("suspend", "/suspend?password=secret"),
    admin("suspend twice", "/suspend?password=secret"),
    admin("status.txt while suspended", "/status.txt?password=secret"),
    admin("status.xml while suspended", "/status.xml?password=secret"),
    sends("a message while suspended"),
    phone("a message from a mobile while suspended"),
    admin("store-status while suspended", "/store-status.txt?password=secret"),
    admin("store-status.xml while suspended", "/store-status.xml?password=secret"),
    admin("store-status.html while suspended", "/store-status.html?password=secret"),
    admin("flush-dlr", "/flush-dlr?password=secret"),
    admin("isolate while suspended", "/isolate?password=secret"),
    admin("resume", "/resume?password=secret"),
    # Isolated.
    admin("isolate", "/isolate?password=secret"),
    admin("isolate twice", "/isolate?password=secret"),
    admin("status.txt while isolated", "/status.txt?password=secret"),
    sends("a message while isolated"),
    phone("a message from a mobile while isolated"),
    admin("suspend while isolated", "/suspend.html?password=secret"),
    admin("resume from both", "/resume.html?password=secret"),
    admin("status.html at the end", "/status.html?password=secret"),
    # Denied: each in a row makes the next answer slower.
    admin("suspend without a password", "/suspend"),
    admin("resume in between", "/resume?password=secret"),
    admin("suspend with the status password", "/suspend?password=look"),
    admin("resume in between again", "/resume?password=secret"),
    admin("graceful-restart without a password", "/graceful-restart"),
    admin("resume once more", "/resume?password=secret"),
    admin("shutdown without a password", "/shutdown"),
    admin("graceful-restart", "/graceful-restart?password=secret"),
    sends("a message after a graceful restart"),
    admin("status.txt after a graceful restart", "/status.txt?password=secret"),
    admin("shutdown", "/shutdown?password=secret"),
    # Without a status-password.
    *(unlocked(f"status{form}", f"/status{form}") for form in FORMATS[:3]),
    unlocked("status with a wrong password", "/status.txt?password=wrong"),
    unlocked("store-status", "/store-status.txt"),
    send("open: a message that waits", "smsc=down&account=dep&mclass=1&text=a+%3Cb%3E+%26c", scene="open"),
    *(unlocked(f"store-status{form} of what waits", f"/store-status{form}") for form in (*FORMATS[:5], ".foo")),
    unlocked("status.xml of what waits", "/status.xml"),
    unlocked("status.txt of what waits", "/status.txt"),
    unlocked("suspend without a password", "/suspend.xml"),
    unlocked("suspend", "/suspend.xml?password=secret"),
    unlocked("status.wml while suspended", "/status.wml"),
    unlocked("resume", "/resume.wml?password=secret"),
    mo("open: a message from a mobile by a route", b"hello", scene="open"),
    unlocked("restart without a password", "/restart"),
    unlocked("restart", "/restart?password=secret"),
)  # fmt: skip
