"""Read the files of a Kannel set-up as what a gateway is run from."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from smppgw import config
from smppgw.carriers.settings import CarrierSettings
from smppgw.config import Config, ConfigError
from smppgw.kannel import fake_smsc, http_smsc, importer, verdicts
from smppgw.kannel.conf import Conf, ConfError, Place, Problem, load
from smppgw.kannel.connectors import Link, readable
from smppgw.kannel.lists import OPEN
from smppgw.kannel.meaning import model
from smppgw.kannel.model import Kannel, SendsmsUser, Smsc
from smppgw.kannel.services import Services
from smppgw.kannel.tags import Tags

_OTHERS: Mapping[str, Callable[[str, Smsc], CarrierSettings]] = {
    "http": http_smsc.settings,
    "fake": fake_smsc.settings,
}
"""Of the types of smsc that have no connector of a gateway.toml."""


@dataclass(frozen=True, slots=True)
class Setup:
    """The files as they were read."""

    paths: tuple[Path, ...]
    conf: Conf
    kannel: Kannel
    data: Path
    tags: Tags

    def with_smscs(self, smscs: tuple[Smsc, ...]) -> "Setup":
        """The same but for these, whatever the files say."""
        kannel = replace(self.kannel, smscs=smscs)
        return replace(self, kannel=kannel, tags=Tags(kannel))

    def made(self, smscs: Iterable[Smsc]) -> "Made":
        """The gateway's own config when there are these, dead or not; raises ConfError."""
        found = importer.serving(self.conf, replace(self.kannel, smscs=tuple(smscs)), self.tags)
        tables = found.tables
        tables["store"] = {"path": str(self.data)}
        # What was said of a message is in Kannel's access-log, and what is measured on the admin port.
        tables["log"] = {**tables.get("log", {}), "access": ""}
        tables["http"] = {"port": 0}
        try:
            settings = config.parse(tables)
        except ConfigError as error:
            whole = Place(self.conf.groups[0].place.file, 0)
            raise ConfError(Problem(whole, f"{each.path} {each.wrong}", each.fix) for each in error.problems) from None
        links = [link for each in found.links.values() for link in each if link.smsc.smsc != "smpp"]
        others = {link.name: _OTHERS[link.smsc.smsc](link.name, link.smsc) for link in links}
        settings = settings.model_copy(update={"connectors": {**settings.connectors, **others}})
        if "listeners" not in tables:
            settings = settings.model_copy(update={"listeners": ()})
        return Made(settings, found.lost, found.links)

    def account(self, user: SendsmsUser, settings: Config) -> str:
        """Whose messages those of a sendsms-user are; a login of opensmppbox may have the same name."""
        name = readable(user.username or "")
        return name + "@sendsms" if name in settings.accounts else name

    def smsbox(self, settings: Config) -> str:
        """The account that gets messages from mobiles for the HTTP side."""
        return next(reversed(settings.accounts))


class Made(NamedTuple):
    """What a set-up comes to."""

    settings: Config
    said: tuple[Problem, ...]
    """What its writer should know."""
    links: Mapping[str, tuple[Link, ...]]
    """The connectors of each smsc-id."""


def read(paths: Sequence[Path], data: Path, load: Callable[..., Conf] = load) -> Setup:
    """Raises ConfError with everything that keeps the gateway from starting."""
    conf = load(*paths)
    problems = list(verdicts.refused(conf))
    if not conf.groups:
        problems.append(Problem(Place(str(paths[0]), 0), "there is no group", "give the path of a kannel.conf"))
    try:
        kannel = model(conf)
        Services(kannel.sms_services, lambda _: OPEN)
        problems += _not_served(kannel)
    except ConfError as error:
        problems += error.problems
    if problems:
        raise ConfError(problems)
    return Setup(tuple(paths), conf, kannel, data, Tags(kannel))


def _not_served(kannel: Kannel) -> Iterator[Problem]:
    for smsc in kannel.smscs:
        if smsc.smsc == "fake" and not smsc.port:
            yield Problem(smsc.place, "port is missing in this group", "add port = ..., where fakesmsc is to connect")
        elif smsc.smsc == "http" and (found := http_smsc.problem(smsc)) is not None:
            yield Problem(smsc.place, *found)
