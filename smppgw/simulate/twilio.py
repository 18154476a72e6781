"""Simulated Twilio: Messages and wireless Commands of one account.

POST /-/mo takes {"from": ..., "to": ..., "text": ..., "media": [...]} for a message from a handset, and {"sim": ...,
"text": ...} or {"sim": ..., "hex": ...} for a Command from a SIM.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from smppgw.simulate.carrier import Notification
from smppgw.simulate.twilio_account import Record, TwilioAccount, TwilioOptions
from smppgw.simulate.twilio_commands import Commands
from smppgw.simulate.twilio_messages import Messages


class TwilioSimulator(TwilioAccount):
    def __init__(self, options: TwilioOptions) -> None:
        super().__init__(options)
        self._messages = Messages(self)
        self._commands = Commands(self)

    def mo(self, said: Mapping[str, Any]) -> Iterable[Notification]:
        return [self._commands.heard(said) if "sim" in said else self._messages.heard(said)]

    def shown(self, what: Record) -> tuple[str, str]:
        resource = what.resource
        if "sim_sid" in resource:
            return str(resource["sim_sid"]), str(resource["command"])
        return str(resource["to"]), str(resource["body"])
