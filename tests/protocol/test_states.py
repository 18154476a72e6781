"""docs/states.md is drawn from the tables that the session works by."""

import re
from pathlib import Path

from protocol.consts import RESPONSE, Command
from protocol.session import BINDS, FROM_ESME, FROM_SMSC, State

PAGE = Path(__file__).parent.parent.parent / "docs" / "states.md"
MARKED = re.compile(r"(?<=<!-- drawn -->\n).*?(?=<!-- end -->)", re.DOTALL)
REQUESTS = [command for command in Command if not command & RESPONSE]
STATES = [state for state in State if state is not State.CLOSED]


def cell(command: Command, state: State) -> str:
    senders = [name for name, table in (("ESME", FROM_ESME), ("SMSC", FROM_SMSC)) if command in table[state]]
    return "both" if len(senders) == 2 else "".join(senders)


def drawn() -> str:
    rows = [["", *(f"`{state.value}`" for state in STATES)], ["---"] * (len(STATES) + 1)]
    rows += [[f"`{command.name.lower()}`", *(cell(command, state) for state in STATES)] for command in REQUESTS]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def test_the_page_shows_the_tables_as_they_are() -> None:
    """`python -m tests.protocol.test_states` draws it anew."""
    assert MARKED.findall(PAGE.read_text(encoding="utf-8")) == [drawn()]


def test_the_tables_are_those_of_the_specification() -> None:
    """Table 2-1, but for enquire_link, which is allowed early, and the time after an unbind, which it leaves open."""
    specified = {
        "BIND_TRANSMITTER OPEN ESME", "BIND_RECEIVER OPEN ESME", "BIND_TRANSCEIVER OPEN ESME", "OUTBIND OPEN SMSC",
        "UNBIND BOUND_TX both", "UNBIND BOUND_RX both", "UNBIND BOUND_TRX both",
        "SUBMIT_SM BOUND_TX ESME", "SUBMIT_SM BOUND_TRX ESME",
        "SUBMIT_MULTI BOUND_TX ESME", "SUBMIT_MULTI BOUND_TRX ESME",
        "DATA_SM BOUND_TX ESME", "DATA_SM BOUND_RX SMSC", "DATA_SM BOUND_TRX both",
        "DELIVER_SM BOUND_RX SMSC", "DELIVER_SM BOUND_TRX SMSC",
        "QUERY_SM BOUND_TX ESME", "QUERY_SM BOUND_TRX ESME",
        "CANCEL_SM BOUND_TX ESME", "CANCEL_SM BOUND_TRX ESME",
        "REPLACE_SM BOUND_TX ESME", "REPLACE_SM BOUND_TRX ESME",
        "ALERT_NOTIFICATION BOUND_RX SMSC", "ALERT_NOTIFICATION BOUND_TRX SMSC",
    }  # fmt: skip
    ours = {
        f"{command.name} {state.name} {cell(command, state)}"
        for command in set(REQUESTS) - {Command.ENQUIRE_LINK}
        for state in set(STATES) - {State.UNBINDING}
        if cell(command, state)
    }
    assert ours == specified


def test_every_state_is_in_both_tables_and_the_last_allows_nothing() -> None:
    assert FROM_ESME.keys() == FROM_SMSC.keys() == set(State)
    assert FROM_ESME[State.CLOSED] == FROM_SMSC[State.CLOSED] == frozenset()
    assert not any(table[state] & BINDS for table in (FROM_ESME, FROM_SMSC) for state in set(STATES) - {State.OPEN})


if __name__ == "__main__":
    PAGE.write_text(MARKED.sub(lambda _: drawn(), PAGE.read_text(encoding="utf-8")), encoding="utf-8")
