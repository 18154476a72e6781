"""A tag stands for an smsc-id: by it a message goes the way that it would go by the smsc-id itself."""

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from routing.rules import compile_patterns
from smppgw.kannel.connectors import links
from smppgw.kannel.model import Kannel, SendsmsUser, Smsc
from smppgw.kannel.routes import Router, Selector
from smppgw.kannel.tags import ANY, Tags

IDS = ("a", "b", "other", "x1", "x2")


def smsc(id: str, **more: Any) -> Smsc:
    return Smsc(
        smsc="smpp", smsc_id=id, host="h", port=1, smsc_username=id, smsc_password="p", system_type="",
        transceiver_mode=True, **more,
    )  # fmt: skip


def way(router: Router, tag: str | None, number: str) -> Mapping[str, Any] | None:
    """Where the first route leads that takes a message with that tag, if it has one, to that number."""
    for route in router.routes:
        match = route.get("match", {})
        patterns = match.get("destination")
        if (tag is None or tag in match["tag"]) and (patterns is None or compile_patterns(patterns)(number.encode())):
            return {
                "to": router.groups.get(route["to"], {"active": [route["to"]]})["active"],
                "fallback": [
                    router.groups.get(each, {"active": [each]})["active"] for each in route.get("fallback", ())
                ],
            }
    return None


lists = st.lists(st.sampled_from(IDS), max_size=2, unique=True).map(tuple)
regexes = st.sampled_from((None, None, "^x", "1$", "other|a"))
smscs = st.lists(
    st.builds(
        smsc,
        st.sampled_from(("a", "b", "c")),
        allowed_smsc_id=lists,
        denied_smsc_id=lists,
        preferred_smsc_id=lists,
        allowed_smsc_id_regex=regexes,
        denied_smsc_id_regex=regexes,
        preferred_smsc_id_regex=regexes,
        denied_prefix=st.sampled_from(((), ("44",))),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda each: each.smsc_id,
)


@given(smscs, st.sampled_from((None, *IDS, "nobody", "x9", "y1")), st.sampled_from(("447911", "49170")))
def test_a_message_goes_by_its_tag_as_by_its_smsc_id(found: list[Smsc], id: str | None, number: str) -> None:
    tags = Tags(Kannel(smscs=tuple(found)))
    by_tag, by_id = Router(links(found)[0]), Router(links(found)[0])
    for selector in tags.selectors:
        by_tag.add(selector)
    by_id.add(Selector("all", id, {}))
    assert way(by_tag, tags.of(id), number) == way(by_id, None, number)


def test_what_the_files_name_is_its_own_tag_and_nothing_is_any() -> None:
    tags = Tags(Kannel(smscs=(smsc("a", denied_smsc_id=("b",)),), sendsms_users=(SendsmsUser(default_smsc="u"),)))
    assert [tags.of(id) for id in (None, "", "a", "b", "u")] == [ANY, ANY, "a", "b", "u"]
    assert tags.of("nobody") == tags.of("nobody else") not in {ANY, "a", "b", "u", ""}


def test_what_no_list_names_is_told_apart_by_the_expressions_that_it_matches() -> None:
    tags = Tags(Kannel(smscs=(smsc("a", allowed_smsc_id_regex="^x"),)))
    assert tags.of("x1") == tags.of("x2") != tags.of("y1")
