"""Every kind of HTTPS carrier there is: its keys in the config, and what makes it."""

from typing import NamedTuple

from smppgw.carriers.aix import Aix
from smppgw.carriers.aix_settings import AixSettings
from smppgw.carriers.contract import Make
from smppgw.carriers.kddi import Kddi
from smppgw.carriers.kddi_settings import KddiSettings
from smppgw.carriers.settings import CarrierSettings
from smppgw.carriers.template import Template, TemplateSettings
from smppgw.carriers.twilio_commands import CommandsSettings, TwilioCommands
from smppgw.carriers.twilio_messages import MessagesSettings, TwilioMessages
from smppgw.carriers.vonage import Vonage, VonageSettings


class Kind(NamedTuple):
    settings: type[CarrierSettings]
    make: Make


KINDS: dict[str, Kind] = {
    "aix": Kind(AixSettings, Aix),
    "kddi": Kind(KddiSettings, Kddi),
    "template": Kind(TemplateSettings, Template),
    "twilio_commands": Kind(CommandsSettings, TwilioCommands),
    "twilio_messages": Kind(MessagesSettings, TwilioMessages),
    "vonage": Kind(VonageSettings, Vonage),
}
"""By the value of `kind` in a table [connectors.NAME]; SMPP is the kind of a table that names none."""
