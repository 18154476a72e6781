"""Kannel's regular expressions find in Python what they find there, or are refused."""

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.kannel.regex import translate
from tests.interop.stacks import need

GOOD = [
    ("^44", "4479", "0044"),
    ("(?:a|b)c", "bc", "c"),
    ("a{2", "xa{2", "aa"),
    ("x{,3}", "x{,3}", "xx"),
    (r"^\d{3,}$", "123", "12"),
    ("^[[:digit:]]+$", "12", "1a"),
    ("[^[:alpha:]-]", "1", "a-"),
    ("[]a]", "]", "b"),
    ("[[a]", "[", "]"),
    (r"[\h]", "\t", "\n"),
    (r"a\hb", "a b", "a\nb"),
    (r"\<a", "<a", "a"),
    (r"\+44", "+44", "44"),
    (r"\x41\x{42}", "AB", "ab"),
    ("(?<y>[0-9])$", "a1", "1a"),
    ("(?i)stop", "STOP", "go"),
    ("a++b", "aab", "b"),
    (r"^a\z", "a", "a\n"),
    ("(?<=a)b", "ab", "b"),
    ("a|", "", ""),
]
BAD = ["[[:foo:]]", "[a", "a**", "\\", "[z-a]", "*a", "^+", "{1}", "(", ")", "a)"]
PCRE_ALONE = [r"\Qa.b\E", r"\p{L}", r"a\Kb", "(?|a|b)", "[+--]"]


@pytest.mark.parametrize(("pattern", "found", "other"), GOOD)
def test_it_finds_the_same(pattern: str, found: str, other: str) -> None:
    assert re.search(translate(pattern), found)
    assert other == found or not re.search(translate(pattern), other)


@pytest.mark.parametrize("pattern", BAD + PCRE_ALONE)
def test_what_cannot_be_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        translate(pattern)


@pytest.mark.interop
@pytest.mark.parametrize("pattern", [pattern for pattern, _, _ in GOOD] + BAD + PCRE_ALONE)
def test_kannel_takes_what_we_take_and_refuses_what_is_bad(pattern: str, tmp_path: Path) -> None:
    need("kannel")
    quoted = pattern.replace("\\", "\\\\")
    (tmp_path / "k.conf").write_text(
        "group = core\nadmin-port = 1\nsmsbox-port = 1\n\ngroup = smsbox\nbearerbox-host = 127.0.0.1\n\n"
        f'group = sendsms-user\nusername = a\npassword = b\nwhite-list-regex = "{quoted}"\n'
    )
    done = subprocess.run(["/usr/sbin/smsbox", "k.conf"], cwd=tmp_path, capture_output=True, timeout=10, check=False)
    assert (b"Could not compile pattern" in done.stdout + done.stderr) == (pattern in BAD)


@given(st.text(alphabet=r"ab09\[](){}*+?^$|.-:=,<>!dhxQ"))
def test_junk_is_translated_or_refused(pattern: str) -> None:
    try:
        found = translate(pattern)
    except ValueError:
        return
    re.compile(found)
