"""Every key that Kannel knows is in exactly one list; bearerbox itself says which those are."""

import re
import subprocess
from collections import Counter

import pytest

from smppgw.kannel import keys
from smppgw.kannel.keys import Fate
from tests.interop.stacks import need

OPENSMPPBOX = {"opensmppbox", "smsc-route"}
"""Groups of a program that Debian does not have."""


@pytest.fixture(scope="module")
def dump() -> str:
    """The groups as Kannel's own parser has them built in."""
    need("kannel")
    done = subprocess.run(["/usr/sbin/bearerbox", "-g"], capture_output=True, text=True, timeout=10, check=False)
    return done.stdout + done.stderr


def groups(dump: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for block in dump.split("group = ")[1:]:
        name, _, rest = block.partition("\n")
        found[name] = set(re.findall(r"^(\S+) = <please consult user doc>$", rest, re.MULTILINE))
    return found


def test_no_key_is_in_two_lists() -> None:
    times = Counter((group, key) for group, key, _ in keys.judgements())
    assert [pair for pair, count in times.items() if count > 1] == []


@pytest.mark.interop
def test_every_key_that_kannel_knows_is_in_a_list_and_no_other(dump: str) -> None:
    ours = {group: set(table) for group, table in keys.KNOWN.items() if group not in OPENSMPPBOX}
    assert ours == groups(dump)


@pytest.mark.interop
def test_the_groups_that_count_once_are_kannels(dump: str) -> None:
    single = set(re.findall(r"#  Single Group\n#\ngroup = (\S+)", dump))
    assert single | {"opensmppbox"} == keys.SINGLE


def test_what_is_not_honoured_has_a_reason() -> None:
    for group, key, judgement in keys.judgements():
        assert (judgement.fate is Fate.HONOURED) == (judgement.reason == ""), (group, key)


def test_what_an_smsc_of_a_type_reads_is_honoured() -> None:
    for type, read in keys.READ_BY.items():
        for key in read:
            assert keys.judge("smsc", key, type).fate is Fate.HONOURED


def test_a_modem_is_refused_with_all_its_keys() -> None:
    assert keys.judge("smsc", "host", "at").fate is Fate.REFUSED
    assert "modems" in keys.judge("smsc", "device", "at").reason


def test_what_kannel_itself_does_not_read_of_an_smsc_means_nothing() -> None:
    assert keys.judge("smsc", "device", "smpp").fate is Fate.NOTHING
    assert keys.judge("smsc", "transceiver-mode", "http").fate is Fate.NOTHING
    assert keys.judge("smsc", "log-file", "at").fate is Fate.NOTHING
