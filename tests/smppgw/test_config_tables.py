"""What the tables of a file become before they are validated."""

from smppgw.config import parse
from tests.smppgw.configured import refused, small


def test_names_of_tables_become_names() -> None:
    read = parse(small())
    assert (read.accounts["demo"].name, read.smpp["up"].name, read.groups["all"].name) == ("demo", "up", "all")


def test_a_name_inside_its_table_is_an_unknown_key() -> None:
    problems = refused(small(accounts={"demo": {"password": "x", "name": "y"}}))
    assert problems["accounts.demo.name"].startswith("unknown key")


def test_a_connector_of_an_unknown_kind_is_one_problem() -> None:
    found = refused(small(connectors={"a": {"kind": "aixx"}}, groups={}, routes=[{"name": "all", "to": "a"}]))
    assert list(found) == ["connectors.a.kind"]
