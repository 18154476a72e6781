"""Every command says what is wrong with what it was given."""

import pytest

from tests.smppgw.typed import smppgw


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["simulate", "smsc", "--states", "GONE:1"], "GONE: no state of a receipt"),
        (["simulate", "smsc", "--error", "throttled"], "are written like 0x58:0.05"),
        (["simulate", "smsc", "--mo", "hello"], "is written like 447700900123>12345:hello"),
        (["simulate", "smsc", "--lost-receipts", "2"], "less than or equal to 1"),
        (["simulate", "kddi", "--token", "a"], "three are needed"),
        (["load", "--text-lengths", "long"], "are written like 20:0.5"),
        (["load", "--codings", "morse"], "morse: no coding; one of gsm"),
        (["load", "--codings", "gsm:0.7,ucs2:0.7"], "more than 1 together"),
    ],
)
def test_an_option_that_means_nothing_is_refused_in_words(words: list[str], said: str) -> None:
    result = smppgw(*words)
    assert result.exit_code == 2
    plain = " ".join(result.stderr.replace("│", " ").split())
    assert said in plain
