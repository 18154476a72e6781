"""Say of each line of a Kannel set-up what becomes of it."""

from collections.abc import Iterator

from smppgw.kannel.conf import Conf, Group, Problem
from smppgw.kannel.keys import KNOWN, Fate, Judgement, judge


def means_nothing(conf: Conf) -> tuple[Problem, ...]:
    """To be said once, at the start."""
    return tuple(_of(conf, Fate.NOTHING))


def refused(conf: Conf) -> tuple[Problem, ...]:
    """What somebody may count on that is not done here."""
    return tuple(_of(conf, Fate.REFUSED))


def of_key(group: Group, key: str) -> Judgement:
    return judge(group.name, key, group.text("smsc"))


def of_group(group: Group) -> Judgement | None:
    """Of one whose keys all share one fate and reason."""
    found = set(KNOWN[group.name].values())
    return found.pop() if len(found) == 1 and group.name != "smsc" else None


def problem(group: Group, key: str, judgement: Judgement) -> Problem:
    said = "means nothing here" if judgement.fate is Fate.NOTHING else "is refused"
    return Problem(group.at(key), f"{key} {said}", judgement.reason)


def _of(conf: Conf, fate: Fate) -> Iterator[Problem]:
    for group in conf.groups:
        whole = of_group(group)
        if whole is not None and whole.fate is fate:
            yield problem(group, f"group {group.name}", whole)
            continue
        for key in group.settings:
            if (judgement := of_key(group, key)).fate is fate:
                yield problem(group, key, judgement)
