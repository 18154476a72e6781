"""Say who may come in by its IP, by the lists of IPs of kannel.conf."""

from functools import lru_cache


@lru_cache(4096)
def is_allowed_ip(allow: str | None, deny: str | None, ip: str) -> bool:
    """Without a list of those that are denied everybody may, whatever the other list says; who is in both may."""
    if not deny or (allow is not None and _is_in(allow, ip)):
        return True
    return not _is_in(deny, ip)


@lru_cache(4096)
def may_connect(allow: str | None, ip: str) -> bool:
    """Where one list says who may: this machine alone if there is none."""
    return _is_in("127.0.0.1" if allow is None else allow, ip)


def plain(ip: str) -> str:
    """An IPv4 address that came over a socket of IPv6 as itself."""
    return ip.removeprefix("::ffff:") if "." in ip else ip


def _is_in(patterns: str, ip: str) -> bool:
    return any(_matches(pattern, ip) for pattern in patterns.split(";"))


def _matches(pattern: str, ip: str) -> bool:
    """A star is the rest of one number between dots. A blank is a character like any other, as it is in Kannel."""
    at = 0
    for char in pattern:
        if at < len(ip) and char == ip[at]:
            at += 1
        elif char != "*" or at >= len(ip):
            return False
        else:
            dot = ip.find(".", at)
            at = len(ip) if dot < 0 else dot
    return at >= len(ip)
