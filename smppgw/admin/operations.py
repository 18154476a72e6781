"""What a person does to accounts, connectors and groups; each raises Refused when it cannot be."""

import structlog

from smppgw.accounts import AccountState
from smppgw.admin.models import AccountLimits, ConnectorLimits, Reloaded
from smppgw.admin.running import AnyConnector, Refused, Running
from smppgw.admin.views import account_of, connector_of, group_of, link_id
from smppgw.carriers.connector import CarrierConnector
from smppgw.smpp.connector import Connector
from smppgw.smpp.inbound import EsmeLink
from smppgw.smpp.keeper import Held

log = structlog.get_logger()

WORDS: dict[Held, str] = {"": "start", "drain": "drain", "stop": "stop"}


class Operations:
    """Everything that changes something is said in the log, with who did it."""

    def __init__(self, running: Running) -> None:
        self._running = running

    def unbind(self, who: str, name: str, link: str = "") -> int:
        """Ask an account's links, or one of them, to go; how many there are."""
        account = account_of(self._running, name)
        links = [each for each in account.links if isinstance(each, EsmeLink)]
        chosen = [each for each in links if link in ("", link_id(each))]
        if link and not chosen:
            raise Refused(404, "There is no such bind", f"account {name!r} has none with the id {link!r}", "link")
        for each in chosen:
            each.unbind()
        self._said(who, "unbind", account=name, links=len(chosen))
        return len(chosen)

    def limit_account(self, who: str, name: str, limits: AccountLimits) -> None:
        """For now: until the next reload."""
        account = account_of(self._running, name)
        _known(account)
        given = _given(limits)
        account.limit(account.settings.model_copy(update=given))
        self._said(who, "limit account", account=name, **given)

    def unlimit_account(self, who: str, name: str) -> None:
        """The limits of the config are in force again."""
        account = account_of(self._running, name)
        account.limit(account.configured)
        self._said(who, "limit account", account=name, as_configured=True)

    def hold(self, who: str, name: str, held: Held) -> None:
        """Drain, stop or start a connector."""
        connector_of(self._running, name).hold(held)
        self._said(who, WORDS[held], connector=name)

    def rebind(self, who: str, name: str) -> None:
        """Bind anew, or ask an HTTPS carrier again at once."""
        connector = connector_of(self._running, name)
        if connector.held == "stop" or not connector.wanted:
            raise Refused(409, "It is not to be bound", "start it first" if connector.held else "no group needs it now")
        connector.rebind()
        self._said(who, "rebind", connector=name)

    def limit_connector(self, who: str, name: str, limits: ConnectorLimits) -> None:
        """For now: until the next reload."""
        connector = connector_of(self._running, name)
        given = _given(limits)
        most = connector.configured.window
        if isinstance(connector, CarrierConnector) and given.get("window", 0) > most:
            raise Refused(422, "The request is not valid", f"it has connections for a window of {most}", "window")
        _limit(connector, given)
        self._said(who, "limit connector", connector=name, **given)

    def unlimit_connector(self, who: str, name: str) -> None:
        """The limits of the config are in force again."""
        connector = connector_of(self._running, name)
        settings = connector.configured
        _limit(connector, {"rate": settings.rate, "burst": settings.burst, "window": settings.window})
        self._said(who, "limit connector", connector=name, as_configured=True)

    def hand_back(self, who: str, name: str) -> None:
        """Let a group's backups go before `hand_back_after`."""
        target = group_of(self._running, name)
        if not target.group.backups_wanted:
            raise Refused(409, "There is nothing to hand back", "the group has not called its backups")
        if not target.hand_back():
            raise Refused(409, "There is nobody to hand back to", "no active member is up")
        self._said(who, "hand back now", group=name)

    def reload(self, who: str) -> Reloaded:
        """As SIGHUP. Raises Refused with what is wrong with the file; then nothing has changed."""
        self._said(who, "reload")
        problems = self._running.reload()
        if problems:
            words = "; ".join(str(problem) for problem in problems[:20])
            raise Refused(409, "The config cannot be used: the old one stays in force", words)
        return Reloaded(reloaded=True, needs_restart=[])

    def _said(self, who: str, what: str, **more: object) -> None:
        log.warning("operated", who=who, what=what, **more)


def _known(account: AccountState) -> None:
    if account.removed:
        raise Refused(409, "The account is no longer in the config", "it can neither bind nor submit")


def _given(limits: AccountLimits | ConnectorLimits) -> dict[str, float]:
    given: dict[str, float] = limits.model_dump(exclude_none=True)
    if not given:
        raise Refused(422, "The request is not valid", "give at least one limit", "limits")
    return given


def _limit(connector: AnyConnector, given: dict[str, float]) -> None:
    if isinstance(connector, Connector):
        connector.limit(connector.settings.model_copy(update=given))
    else:
        connector.limit(connector.settings.model_copy(update=given))
