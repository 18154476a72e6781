"""What Kannel answered, as it is kept, and whether something else says the same."""

import json
from functools import cache
from pathlib import Path

from tests.interop.kannel.differences import difference
from tests.interop.kannel.side import Outcome

RECORDED = Path(__file__).with_name("recorded.json")


@cache
def recorded() -> dict[str, Outcome]:
    found: dict[str, Outcome] = json.loads(RECORDED.read_text())
    return found


def expected() -> dict[str, Outcome]:
    """Of the rows in which ours does the same: nothing else is worth waiting for."""
    return {name: outcome for name, outcome in recorded().items() if difference(name) is None}


def as_text(outcome: Outcome) -> str:
    """Line by line, for people and for comparing."""
    lines: list[str] = []
    for message in [*([outcome["http"]] if outcome["http"] else []), *outcome["callbacks"]]:
        lines += [message["start"], *(f"  {name}: {value}" for name, value in message["headers"])]
        lines += [f"  | {line}" for line in message["body"].split("\n")] if message["body"] else []
    for sent in outcome["submits"]:
        lines.append("submit_sm")
        lines += [f"  {name} = {value}" for name, value in sent.items()]
    if outcome["taken"]:
        lines.append(f"deliver_sm_resp {outcome['taken']}")
    return "\n".join(lines)
