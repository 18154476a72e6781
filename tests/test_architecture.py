"""The arrows between the packages, the purity of the inner two, and no circles."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("protocol", "routing", "smppgw")
MAY_IMPORT = {
    "protocol": {"protocol"},
    "routing": {"protocol", "routing"},
    "smppgw": {"protocol", "routing", "smppgw"},
}
OUTSIDE_WORLD = {
    *(
        "asyncio",
        "concurrent",
        "multiprocessing",
        "threading",
        "_thread",
        "subprocess",
        "selectors",
        "select",
    ),
    *("socket", "ssl", "http", "urllib", "signal", "uvloop"),
    *("os", "io", "pathlib", "shutil", "tempfile", "mmap", "sqlite3"),
    *("time", "random", "secrets", "uuid", "logging", "structlog"),
}

FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
}


def imports(name: str) -> Iterator[str]:
    """Each module that the file imports anywhere in it, in full."""
    path = FILES[name]
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def file_of(module: str) -> str | None:
    """The file of ours that an import means: itself a module, or a name inside one."""
    while module and module not in FILES:
        module = module.rpartition(".")[0]
    return module or None


@pytest.mark.parametrize("name", FILES)
def test_imports_point_inwards(name: str) -> None:
    mine = name.split(".", maxsplit=1)[0]
    for module in imports(name):
        top = module.split(".")[0]
        assert top not in PACKAGES or top in MAY_IMPORT[mine], f"{name} imports {module}"
        assert top not in {"tests", "benchmarks"}, f"{name} imports {module}"


@pytest.mark.parametrize("name", [name for name in FILES if not name.startswith("smppgw")])
def test_what_decides_does_not_touch_the_world(name: str) -> None:
    outside = {module for module in imports(name) if module.split(".")[0] in OUTSIDE_WORLD}
    assert not outside, f"{name} imports {sorted(outside)}"


@pytest.mark.parametrize("name", FILES)
def test_a_file_opens_with_what_it_knows(name: str) -> None:
    assert ast.get_docstring(ast.parse(FILES[name].read_bytes())), f"{name} has no docstring"


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("*.py")), ids=lambda path: path.name)
def test_a_test_file_opens_with_what_it_proves(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_bytes())), f"{path} has no docstring"


def test_no_two_files_import_each_other_in_a_circle() -> None:
    needs = {
        name: {other for module in imports(name) if (other := file_of(module)) not in (None, name)} for name in FILES
    }
    done: set[str] = set()
    while free := {name for name in needs.keys() - done if needs[name] <= done}:
        done |= free
    assert not (needs.keys() - done), f"in a circle, or needing one that is: {sorted(needs.keys() - done)}"


MEET_IN_THE_PIPELINE = (
    "smppgw.smpp.inbound",
    "smppgw.smpp.connector",
    "smppgw.http",
    "smppgw.carriers",
    "smppgw.callbacks",
)


@pytest.mark.parametrize("room", MEET_IN_THE_PIPELINE)
def test_rooms_that_meet_in_the_pipeline_do_not_know_each_other(room: str) -> None:
    def inside(name: str | None, place: str) -> bool:
        return name is not None and f"{name}.".startswith(f"{place}.")

    for name in FILES:
        if inside(name, room):
            for module in imports(name):
                other = file_of(module)
                strangers = [place for place in MEET_IN_THE_PIPELINE if place != room and inside(other, place)]
                assert not strangers, f"{name} imports {module}"
