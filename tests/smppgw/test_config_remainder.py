"""What is wrong does not hide what else is wrong, and is said once."""

from tests.smppgw.configured import connector, refused, small


def test_all_problems_are_said_at_once() -> None:
    problems = refused(
        small(
            gateway={"validity": "5x", "node": 1024},
            accounts={"demo": {"password": "x", "window": 0, "windw": 1}},
            groups={"all": {"active": ["upp"], "backup": ["spare"]}},
            routes=[{"name": "a"}, {"name": "b", "to": "al", "match": {"source": "re:(", "account": "demmo"}}],
            listener=[],
        )
    )
    assert set(problems) == {
        "gateway.validity",
        "gateway.node",
        "accounts.demo.window",
        "accounts.demo.windw",
        "groups.all.active",
        "routes[0].to",
        "routes[1].to",
        "routes[1].match.source[0]",
        "routes[1].match.account",
        "listener",
    }


def test_one_mistake_is_one_problem() -> None:
    assert list(refused(small(connectors=small()["connectors"] | connector(port="x")))) == ["connectors.up.port"]
