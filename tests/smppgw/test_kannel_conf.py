"""kannel.conf is read as Kannel reads it; the real bearerbox is asked about every case."""

import re
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.kannel import conf
from smppgw.kannel.conf import Conf, ConfError, Place
from tests.interop.stacks import need

CORE = b"group=core\n"

# A file, and what Kannel takes its dlr-storage for: the one value that bearerbox says aloud.
VALUES = {
    "plain": (CORE + b"dlr-storage = X\n", b"X"),
    "blanks around": (b"  group \t= core\n\tdlr-storage=  X  \r\n", b"X"),
    "all blanks of C": (CORE + b"dlr-storage = \x0b\x0ca\x0b\n", b"a"),
    "no break space is no blank": (CORE + b"dlr-storage = \xa0a\n", b"\xa0a"),
    "no newline at the end": (CORE + b"dlr-storage = X", b"X"),
    "quotes": (CORE + b'dlr-storage = "a b "\n', b"a b "),
    "escapes in quotes": (CORE + b'dlr-storage = "a\\"b\\\\c\\d"\n', b'a"b\\c\\d'),
    "no escapes without quotes": (CORE + b'dlr-storage = a\\"b\\\\c\\d\n', b'a\\"b\\\\c\\d'),
    "only a closing quote": (CORE + b'dlr-storage = a"\n', b'a"'),
    "only an opening quote": (CORE + b'dlr-storage = "a\n', b'"a'),
    "one quote alone": (CORE + b'dlr-storage = "\n', b""),
    "empty quotes": (CORE + b'dlr-storage = ""\n', b""),
    "nothing": (CORE + b"dlr-storage =\n", b""),
    "a backslash before the last quote": (CORE + b'dlr-storage = "a\\"\n', b"a\\"),
    "an equals sign": (CORE + b"dlr-storage = a=b\n", b"a=b"),
    "no comment after a value": (CORE + b"dlr-storage = a # c\n", b"a # c"),
    "no comment after quotes": (CORE + b'dlr-storage = "a" # c\n', b'"a" # c'),
    "a comment does not end a group": (CORE + b"  # foo\n#\ndlr-storage = a\n", b"a"),
    "no variables": (CORE + b"dlr-storage = ${HOME} $HOME\n", b"${HOME} $HOME"),
    "octets that are no UTF-8": (CORE + b"dlr-storage = \xe9\xff\n", b"\xe9\xff"),
    "the last of two": (CORE + b"dlr-storage = a\ndlr-storage = b\n", b"b"),
    "group after the others": (b"dlr-storage = a\ngroup=core\n", b"a"),
    "group in quotes": (b'group = "core"\ndlr-storage=q\n', b"q"),
    "a line goes on": (CORE + b"dlr-storage = a\\\nb\\\n c\n", b"ab c"),
    "a line that goes on into a comment": (CORE + b"dlr-storage = a\\\n# b\n", b"a# b"),
    "two backslashes are one and the end": (CORE + b"dlr-storage = a\\\\\nadmin-port=1\n", b"a\\"),
    "a backslash and a blank do not go on": (CORE + b"dlr-storage = a\\ \nadmin-port=1\n", b"a\\"),
    "a backslash before CRLF does not go on": (CORE + b"dlr-storage = a\\\r\nadmin-port=1\r\n", b"a\\"),
    "a backslash at the very end": (CORE + b"dlr-storage = a\\", b"a"),
    "the last of two groups core": (CORE + b"dlr-storage = a\n\n" + CORE + b"dlr-storage = b\n", b"b"),
    "an included file": (CORE + b'include = "other.conf"\n', b"other"),
    "a key with include in it": (CORE + b"my-included-thing = other.conf\n", b"other"),
    "an included file that includes": (CORE + b"include = nested.conf\n", b"other"),
    "an empty included file does not end a group": (CORE + b"include = empty.conf\ndlr-storage = z\n", b"z"),
    "a folder": (b"include = folder\n", b"of a folder"),
    "an empty folder": (CORE + b"include = nothing\ndlr-storage = z\n", b"z"),
    "a link to a file": (CORE + b"include = link\n", b"other"),
}

# A file that Kannel does not start with, where it says the mistake to be, and what we say.
MISTAKES = {
    "no equals sign": (CORE + b"foo\n", "k.conf:2: there is no '='"),
    "an include without an equals sign": (CORE + b"include other.conf\n", "k.conf:2: there is no '='"),
    "an unknown key": (CORE + b"foo = 1\nadmin-port = 1\n\n", "k.conf:2: group core has no key 'foo'"),
    "a key in capitals": (CORE + b"ADMIN-PORT = 1\n", "did you mean 'admin-port'?"),
    "a key with a blank": (CORE + b"admin port = 1\n", "did you mean 'admin-port'?"),
    "no key": (CORE + b" = 1\n", "k.conf:2: group core has no key ''"),
    "an unknown group": (b"group = Core\n", "k.conf:1: there is no group 'Core'; did you mean 'core'?"),
    "a blank in quotes": (b'group = " core"\n', "k.conf:1: there is no group ' core'"),
    "no group": (b"\nadmin-port = 1\n", "k.conf:2: these lines belong to no group"),
    "blanks are a blank line": (CORE + b" \t\r\nadmin-port = 1\n", "k.conf:3: these lines belong to no group"),
    "a byte order mark": (b"\xef\xbb\xbf" + CORE, "k.conf:1: these lines belong to no group"),
    "a blank line after a continuation": (CORE + b"dlr-storage = a\\\n\nfoo = 1\n", "k.conf:4: group core has no key"),
    "two groups in one": (CORE + b"dlr-storage=a\ngroup=smsbox\n", "k.conf:2: group smsbox has no key 'dlr-storage'"),
    "a NUL alone": (CORE + b"\0\n", "k.conf:2: there is no '='"),
    "a file that is not there": (CORE + b"include = no.conf\n", "k.conf:2: 'no.conf' cannot be read: No such file"),
    "no file": (CORE + b"include =\n", "k.conf:2: '' cannot be read: No such file"),
    "include in a value": (CORE + b'admin-password = "x include y"\n', "k.conf:2: 'x include y' cannot be read"),
    "itself": (CORE + b"include = k.conf\n", "k.conf:2: 'k.conf' is included a second time"),
    "in a circle": (CORE + b"include = one.conf\n", "two.conf:1: 'one.conf' is included a second time"),
    "twice": (b"include = core.conf\ninclude = core.conf\n", "k.conf:2: 'core.conf' is included a second time"),
    "in an included file": (CORE + b"include = wrong.conf\n", "wrong.conf:3: there is no '='"),
    "a group goes on behind an include": (
        CORE + b"include = other.conf\nadmin-port = 1\n",
        "k.conf:3: these lines belong to no group",
    ),
    "a group goes on behind a folder": (
        CORE + b"include = folder\nadmin-port = 1\n",
        "k.conf:3: these lines belong to no group",
    ),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    files = {
        "other.conf": "dlr-storage = other",
        "nested.conf": "admin-port = 1\ninclude = other.conf\n",
        "empty.conf": "",
        "core.conf": "group = core\nadmin-port = 1\n",
        "one.conf": "include = two.conf\n",
        "two.conf": "include = one.conf\n",
        "wrong.conf": "\n\nfoo\n",
        "folder/core": "group = core\ndlr-storage = of a folder\n",
        "folder/deeper/core": "foo\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "nothing").mkdir()
    (tmp_path / "link").symlink_to("other.conf")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def bearerbox(folder: Path, data: bytes) -> str:
    """What it says to that file; it never comes to its ports."""
    (folder / "k.conf").write_bytes(data)
    done = subprocess.run(
        ["/usr/sbin/bearerbox", "-v", "0", "k.conf"], cwd=folder, capture_output=True, timeout=10, check=False
    )
    return (done.stdout + done.stderr).decode("latin-1")


def value(found: Conf) -> bytes:
    core = found.single("core")
    assert core is not None
    return (core.text("dlr-storage") or "").encode(errors="surrogateescape")


@pytest.mark.parametrize("case", VALUES)
def test_a_value_is_what_kannel_takes_it_for(case: str, folder: Path) -> None:
    data, wanted = VALUES[case]
    assert value(conf.parse(data, "k.conf")) == wanted


@pytest.mark.interop
@pytest.mark.parametrize("case", VALUES)
def test_kannel_takes_it_for_that(case: str, folder: Path) -> None:
    need("kannel")
    data, wanted = VALUES[case]
    said = re.search(r"storage type '(.*)' is not supported", bearerbox(folder, data), re.DOTALL)
    assert said is not None
    assert said[1].encode("latin-1") == wanted


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_named_with_its_place(case: str, folder: Path) -> None:
    data, said = MISTAKES[case]
    with pytest.raises(ConfError, match=re.escape(said)):
        conf.parse(data, "k.conf")


@pytest.mark.interop
@pytest.mark.parametrize("case", MISTAKES)
def test_kannel_does_not_start_with_it(case: str, folder: Path) -> None:
    need("kannel")
    said = bearerbox(folder, MISTAKES[case][0])
    assert re.search(r"Couldn't read configuration|Recursive include|Failed to include", said), said


def test_all_mistakes_of_all_files_are_named_at_once(folder: Path) -> None:
    with pytest.raises(ConfError) as found:
        conf.parse(CORE + b"foo\nbar = 1\n\ninclude = wrong.conf\n\ngroup = x\n", "k.conf")
    assert [str(problem.place) for problem in found.value.problems] == [
        "k.conf:2",
        "k.conf:3",
        "wrong.conf:3",
        "k.conf:7",
    ]


def test_a_file_that_cannot_be_read_is_named() -> None:
    with pytest.raises(ConfError, match=r"nowhere\.conf: it cannot be read: No such file or directory"):
        conf.load("nowhere.conf")


def test_a_folder_is_no_configuration(folder: Path) -> None:
    with pytest.raises(ConfError, match="it is a folder"):
        conf.load(folder)


def test_the_files_of_a_folder_come_by_name(tmp_path: Path) -> None:
    for name in ("b", "c~", ".a"):
        (tmp_path / name).write_text(f"group = smsc\nsmsc-id = {name}\n")
    found = conf.parse(b"include = " + str(tmp_path).encode())
    assert [group.text("smsc-id") for group in found.every("smsc")] == [".a", "b", "c~"]


def test_a_link_to_a_folder_is_empty_as_in_kannel(folder: Path) -> None:
    (folder / "to").symlink_to("folder")
    assert conf.parse(b"include = to\n") == Conf()


def test_groups_keep_their_order_and_places() -> None:
    found = conf.parse(b"group = smsc\nsmsc-id = a\n\n\n# of b\ngroup = smsc\n\\\nsmsc-id = b\n", "k.conf")
    assert [(group.place, group.at("smsc-id")) for group in found.groups] == [
        (Place("k.conf", 1), Place("k.conf", 2)),
        (Place("k.conf", 6), Place("k.conf", 7)),
    ]


def test_what_is_forgotten_is_noted() -> None:
    found = conf.parse(CORE + b"admin-port = 1\nadmin-port = 2\n\n" + CORE + b"admin-port = 3\n", "k.conf")
    assert [str(note) for note in found.notes] == [
        "k.conf:2: this admin-port is forgotten; k.conf:3 counts",
        "k.conf:1: this group core is forgotten; k.conf:5 counts",
    ]


def test_a_second_file_adds_its_groups_but_for_those_that_count_once(tmp_path: Path) -> None:
    (tmp_path / "1").write_text("group = core\nadmin-port = 1\n\ngroup = smsc\nsmsc-id = a\n")
    (tmp_path / "2").write_text("group = core\nadmin-port = 2\n\ngroup = smsc\nsmsc-id = b\n")
    found = conf.load(tmp_path / "1", tmp_path / "2")
    assert [group.integer("admin-port") for group in found.every("core")] == [1]
    assert [group.text("smsc-id") for group in found.every("smsc")] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "number"),
    [("10", 10), (" 010", 8), ("0x1F", 31), ("5x", 5), ("-1", -1), ("+2", 2), ("", None), ("x", None), ("09", 0)],
)
def test_a_number_is_read_as_c_reads_it(text: str, number: int | None) -> None:
    [group] = conf.parse(f"group = core\nadmin-port = {text}\n".encode()).groups
    assert group.integer("admin-port") == number


@pytest.mark.parametrize(
    ("text", "truth"), [("Yes", True), ("1", True), ("off", False), ("0", False), ("perhaps", True), ("", True)]
)
def test_what_is_neither_yes_nor_no_is_yes(text: str, truth: bool) -> None:
    [group] = conf.parse(f"group = core\nadmin-port-ssl = {text}\n".encode()).groups
    assert group.truth("admin-port-ssl") is truth


def test_a_list_is_cut_at_semicolons() -> None:
    [group] = conf.parse(b"group = smsc\nallowed-smsc-id = a; b ;;c\nthroughput = 2.5e1x\n").groups
    assert group.words("allowed-smsc-id") == ("a", "b", "c")
    assert group.words("denied-smsc-id") == ()
    assert group.number("throughput") == 25.0


JUNK = st.lists(
    st.sampled_from(
        [
            b"group",
            b"=",
            b"core",
            b"include",
            b"a",
            b"b",
            b"/",
            b"\n",
            b"\\",
            b'"',
            b"#",
            b" ",
            b"\0",
            b"\xff",
            b"smsc-id",
        ]
    ),
    max_size=40,
).map(b"".join)


@given(JUNK, JUNK, JUNK)
def test_junk_never_crashes_it(main: bytes, one: bytes, other: bytes) -> None:
    def read(path: str) -> bytes | tuple[str, ...]:
        if "\0" in path:
            raise ValueError("embedded null byte")
        if path.endswith("a"):
            return one
        if path.endswith("b"):
            return ("a", "b", "c")
        if path.endswith("c"):
            return other
        raise FileNotFoundError(2, "No such file or directory")

    with suppress(ConfError):
        conf.parse(main, read=read)


@given(st.binary())
def test_any_octets_are_read_or_refused(data: bytes) -> None:
    def read(path: str) -> bytes:
        raise FileNotFoundError(2, "No such file or directory")

    with suppress(ConfError):
        conf.parse(data, read=read)
