"""Which tag stands for the smsc-id that a message of sendsms is for, and where the routes take it.

An smsc-id counts by the lists and expressions that name it, and not otherwise: all that no list names are alike, but
for the expressions that they match. So there is a tag for each that the files name, and one for each way to be another.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import product

from smppgw.kannel.connectors import readable
from smppgw.kannel.model import Kannel
from smppgw.kannel.routes import MAX_REGEXES, Selector, Unlisted

ANY = "*"
"""The tag of messages that are for no smsc-id in particular; those that came over SMPP have none at all."""


class Tags:
    """Of one set-up. They are the same for the same files, since messages keep theirs over a restart."""

    def __init__(self, kannel: Kannel) -> None:
        lists: list[str] = []
        regexes: list[str | None] = []
        for smsc in kannel.smscs:
            lists += (*smsc.allowed_smsc_id, *smsc.denied_smsc_id, *smsc.preferred_smsc_id)
            regexes += (smsc.allowed_smsc_id_regex, smsc.denied_smsc_id_regex, smsc.preferred_smsc_id_regex)
        own = [smsc.id for smsc in kannel.smscs]
        wanted = [id for user in kannel.sendsms_users for id in (user.forced_smsc, user.default_smsc) if id]
        self._known = dict.fromkeys(lists + own + wanted)
        self.regexes = tuple(dict.fromkeys(filter(None, regexes)))[:MAX_REGEXES]

    def of(self, smsc_id: str | None) -> str:
        """Of the smsc-id that a message is for."""
        if not smsc_id:
            return ANY
        if smsc_id in self._known:
            return readable(smsc_id)
        return _unlisted([re.search(regex, smsc_id) is not None for regex in self.regexes])

    @property
    def selectors(self) -> Iterator[Selector]:
        """Of all messages that have a tag."""
        yield Selector("any smsc", None, {"tag": [ANY]})
        for id in self._known:
            yield Selector(f"smsc {readable(id)}", id, {"tag": [readable(id)]})
        for truths in product((True, False), repeat=len(self.regexes)):
            tag = _unlisted(truths)
            yield Selector(f"smsc {tag}", Unlisted(dict(zip(self.regexes, truths, strict=True))), {"tag": [tag]})


def _unlisted(truths: Iterable[bool]) -> str:
    return "?" + "".join("+" if truth else "-" for truth in truths)
