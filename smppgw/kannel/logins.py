"""Read the smpp-logins file of opensmppbox: a line has a system_id, a password, a system_type and, at times, IPs."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network

from smppgw.kannel.conf import Place, Problem


@dataclass(frozen=True, slots=True)
class Login:
    """Who may bind; None for ips is from anywhere."""

    place: Place
    system_id: bytes
    password: bytes
    system_type: bytes
    ips: str | None = None


def parse(data: bytes, name: str) -> tuple[tuple[Login, ...], tuple[Problem, ...]]:
    """The logins, and which lines are none.

    opensmppbox takes words by four however the lines are cut, so that a line of three spoils those after it; each
    line counts for itself here. A password has no blanks and nothing begins a comment.
    """
    logins: list[Login] = []
    problems: list[Problem] = []
    for number, line in enumerate(data.split(b"\n"), start=1):
        words = line.split()
        place = Place(name, number)
        if len(words) in {3, 4}:
            ips = words[3].decode("latin-1") if len(words) == 4 else None
            logins.append(Login(place, words[0], words[1], words[2], ips))
        elif words:
            fix = "system_id password system_type [ip;ip]"
            problems.append(Problem(place, f"there are {len(words)} words in the line", fix))
    return tuple(logins), tuple(problems)


def networks(ips: str) -> Iterator[IPv4Network | str]:
    """Of a list of IPs by semicolons, where * is any number, as networks; an IP that is none comes as it stands."""
    for word in filter(None, (word.strip() for word in ips.split(";"))):
        octets = word.split(".")
        fixed = [octet for octet in octets if octet != "*"]
        whole = len(octets) == 4 and octets[: len(fixed)] == fixed
        try:
            yield (
                IPv4Network((".".join([*fixed, *("0" for _ in range(4 - len(fixed)))]), 8 * len(fixed)))
                if whole
                else word
            )
        except ValueError:
            yield word
