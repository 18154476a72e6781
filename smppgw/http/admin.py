"""/v1/admin: what runs, what waits, and what a person does about it."""

import json
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Body, Depends, Path, Query
from fastapi.responses import Response, StreamingResponse
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool

from smppgw.admin import configs, models
from smppgw.admin.capture import LONGEST, Captures, Wanted
from smppgw.admin.dryrun import try_mo_route, try_route
from smppgw.admin.operations import Operations
from smppgw.admin.running import Refused, Running
from smppgw.admin.shelf import Shelf
from smppgw.admin.views import Views
from smppgw.http.api import Operator, Reader
from smppgw.http.keys import Caller
from smppgw.http.problems import MEDIA, Problem, ProblemDetails

T = TypeVar("T")
_ACCOUNTS = TypeAdapter(list[models.AccountView])
Name = Annotated[str, Path(max_length=64)]
Id = Annotated[str, Path(pattern="^[0-9a-fA-F]{1,16}$", description="16 hex digits.")]


def refused(error: Refused) -> Problem:
    """What an operation says, as the API says it."""
    errors = [(error.field, error.detail)] if error.field and error.status == 422 else []
    return Problem(error.status, error.title, "" if errors else error.detail, errors)


def _try(do: Callable[[], T]) -> T:
    try:
        return do()
    except Refused as error:
        raise refused(error) from None


def _seen(caller: Caller, account: str) -> None:
    if not caller.sees(account):
        raise Problem(403, "This key may not see this account")


def _whole(caller: Caller) -> Caller:
    if caller.settings.accounts:
        raise Problem(403, "This key is for its accounts alone", "what concerns all accounts needs a key without any")
    return caller


def _whole_reader(caller: Reader) -> Caller:
    return _whole(caller)


def _whole_operator(caller: Operator) -> Caller:
    return _whole(caller)


WholeReader = Annotated[Caller, Depends(_whole_reader)]
WholeOperator = Annotated[Caller, Depends(_whole_operator)]
"""Of a key that is for all accounts."""


def router(running: Running) -> APIRouter:
    """All of it."""
    conflict: dict[str, Any] = {"model": ProblemDetails, "description": "Not as things stand", "content": {MEDIA: {}}}
    admin = APIRouter(prefix="/v1/admin", tags=["admin"], responses={409: conflict})
    views = Views(running)
    views.sampler.start()
    operations = Operations(running)
    _look(admin, running, views)
    _operate(admin, views, operations)
    _shelf(admin, Shelf(running))
    _config(admin, running, operations)
    _capture(admin, Captures(running))
    return admin


def _look(admin: APIRouter, running: Running, views: Views) -> None:
    @admin.get("/overview")
    async def overview(_: WholeReader) -> models.Overview:
        """Version, state, rates, latencies, queues: the whole gateway in one look."""
        return views.overview()

    @admin.get("/queues")
    async def queues(_: WholeReader) -> list[models.Queue]:
        """What waits for which group or connector, and since when."""
        return views.queues()

    @admin.get("/accounts", response_model=list[models.AccountView])
    async def accounts(caller: Reader) -> Response:
        """Accounts with their binds, limits and rates, without their settings; of a key with accounts only those."""
        return Response(_ACCOUNTS.dump_json(await views.accounts(caller.sees)), media_type="application/json")

    @admin.get("/accounts/{name}")
    async def account(name: Name, caller: Reader) -> models.AccountView:
        """One account."""
        _seen(caller, name)
        return _try(lambda: views.account(name))

    @admin.get("/connectors")
    async def connectors(_: WholeReader) -> list[models.ConnectorView]:
        """Connectors to SMSCs and HTTPS carriers, with their binds, errors and rates."""
        return views.connectors()

    @admin.get("/connectors/{name}")
    async def connector(name: Name, _: WholeReader) -> models.ConnectorView:
        """One connector."""
        return _try(lambda: views.connector(name))

    @admin.get("/groups")
    async def groups(_: WholeReader) -> list[models.GroupView]:
        """Groups with their members and failover."""
        return views.groups()

    @admin.get("/groups/{name}")
    async def group(name: Name, _: WholeReader) -> models.GroupView:
        """One group."""
        return _try(lambda: views.group(name))

    @admin.get("/routes")
    async def routes(_: WholeReader) -> models.Routes:
        """Routes and MO routes in the order in which they are tried."""
        return views.routes()

    @admin.post("/routes/try")
    async def try_(asked: models.TryRoute, _: WholeReader) -> models.RouteTrial:
        """Where would this message go, and why not elsewhere? Nothing is sent."""
        return _try(lambda: try_route(running, asked))

    @admin.post("/mo-routes/try")
    async def try_mo(asked: models.TryMoRoute, _: WholeReader) -> models.MoRouteTrial:
        """Who would get this message from a handset?"""
        return _try(lambda: try_mo_route(running, asked))


def _operate(admin: APIRouter, views: Views, operations: Operations) -> None:
    @admin.post("/accounts/{name}/unbind")
    async def unbind(
        name: Name, who: Operator, asked: Annotated[models.Unbind | None, Body()] = None
    ) -> models.Unbound:
        """Ask its links, or one of them, to go: answers under way come first. A good ESME binds again."""
        _seen(who, name)
        link = asked.link if asked is not None else ""
        return models.Unbound(unbinding=_try(lambda: operations.unbind(who.name, name, link)))

    @admin.patch("/accounts/{name}/limits")
    async def limit_account(name: Name, limits: models.AccountLimits, who: Operator) -> models.AccountView:
        """Other limits for now: until the next reload or restart."""
        _seen(who, name)
        _try(lambda: operations.limit_account(who.name, name, limits))
        return views.account(name)

    @admin.delete("/accounts/{name}/limits")
    async def unlimit_account(name: Name, who: Operator) -> models.AccountView:
        """The limits of the config again."""
        _seen(who, name)
        _try(lambda: operations.unlimit_account(who.name, name))
        return views.account(name)

    @admin.post("/connectors/{name}/drain")
    async def drain(name: Name, who: WholeOperator) -> models.ConnectorView:
        """Send nothing more by it; it stays bound, and receipts come. Its groups send by others."""
        _try(lambda: operations.hold(who.name, name, "drain"))
        return views.connector(name)

    @admin.post("/connectors/{name}/stop")
    async def stop(name: Name, who: WholeOperator) -> models.ConnectorView:
        """Unbind it once its answers came, and leave it so."""
        _try(lambda: operations.hold(who.name, name, "stop"))
        return views.connector(name)

    @admin.post("/connectors/{name}/start")
    async def start(name: Name, who: WholeOperator) -> models.ConnectorView:
        """Undo drain and stop."""
        _try(lambda: operations.hold(who.name, name, ""))
        return views.connector(name)

    @admin.post("/connectors/{name}/rebind")
    async def rebind(name: Name, who: WholeOperator) -> models.ConnectorView:
        """Unbind and bind anew; an HTTPS carrier that rests is asked again at once."""
        _try(lambda: operations.rebind(who.name, name))
        return views.connector(name)

    @admin.patch("/connectors/{name}/limits")
    async def limit(name: Name, limits: models.ConnectorLimits, who: WholeOperator) -> models.ConnectorView:
        """Another window or rate for now: until the next reload or restart."""
        _try(lambda: operations.limit_connector(who.name, name, limits))
        return views.connector(name)

    @admin.delete("/connectors/{name}/limits")
    async def unlimit(name: Name, who: WholeOperator) -> models.ConnectorView:
        """The limits of the config again."""
        _try(lambda: operations.unlimit_connector(who.name, name))
        return views.connector(name)

    @admin.post("/groups/{name}/hand-back")
    async def hand_back(name: Name, who: WholeOperator) -> models.GroupView:
        """Let the backups go now, not only after hand_back_after."""
        _try(lambda: operations.hand_back(who.name, name))
        return views.group(name)


def _shelf(admin: APIRouter, shelf: Shelf) -> None:
    @admin.get("/set-aside")
    async def asides(
        caller: Reader,
        after: Annotated[str, Query(pattern="^[0-9a-fA-F]{0,16}$")] = "",
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        account: Annotated[str, Query(max_length=64)] = "",
    ) -> models.Asides:
        """Records that a person must look at: messages in doubt, and deliveries that nobody would take."""
        sees = caller.sees if caller.settings.accounts else None
        return _try(lambda: shelf.list(after=after, limit=limit, account=account, sees=sees))

    @admin.get("/set-aside/{id}")
    async def aside(id: Id, caller: Reader) -> models.Aside:
        """One of them; to a key that may operate with its record."""
        return _try(lambda: shelf.one(id, sees=caller.sees, whole=caller.may("operate")))

    @admin.post("/set-aside/{id}/release")
    async def release(id: Id, who: Operator, asked: Annotated[models.Release | None, Body()] = None) -> models.Done:
        """Send a message in doubt again (it may arrive twice), or deliver again what was refused."""
        given = asked or models.Release(validity_seconds=None)
        return models.Done(done=_try(lambda: shelf.release(who.name, id, given, sees=who.sees)))

    @admin.post("/set-aside/{id}/drop")
    async def drop(id: Id, who: Operator, asked: Annotated[models.Drop | None, Body()] = None) -> models.Done:
        """End it; for a message in doubt perhaps with the receipt that its account waits for."""
        return models.Done(done=_try(lambda: shelf.drop(who.name, id, asked or models.Drop(state=""), sees=who.sees)))


def _config(admin: APIRouter, running: Running, operations: Operations) -> None:
    @admin.get("/config", response_model=dict[str, Any])
    async def config(_: WholeReader) -> Response:
        """The config in force, without its secrets."""
        octets = await run_in_threadpool(lambda: json.dumps(configs.shown(running.settings)).encode())
        return Response(octets, media_type="application/json")

    @admin.get("/config/diff")
    async def diff(_: WholeReader) -> models.Diff:
        """What the file on disk says otherwise, or what is wrong with it."""
        return await run_in_threadpool(configs.diff, running.path, running.settings)

    @admin.post("/config/reload")
    async def reload(who: WholeOperator) -> models.Reloaded:
        """As SIGHUP: a file with mistakes changes nothing."""
        found = await run_in_threadpool(configs.diff, running.path, running.settings)
        if found.problems:
            errors = [(each.path, f"{each.wrong}; {each.fix}") for each in found.problems]
            raise Problem(409, "The config cannot be used: the old one stays in force", errors=errors)
        done = _try(lambda: operations.reload(who.name))
        done.needs_restart = sorted({each.path.split(".")[0] for each in found.changes if each.restart})
        return done


def _capture(admin: APIRouter, captures: Captures) -> None:
    @admin.get(
        "/capture",
        response_class=StreamingResponse,
        responses={200: {"content": {"application/vnd.tcpdump.pcap": {}}, "description": "A file for Wireshark."}},
    )
    async def capture(
        caller: Reader,
        account: Annotated[str, Query(max_length=64)] = "",
        connector: Annotated[str, Query(max_length=64)] = "",
        seconds: Annotated[float, Query(gt=0, le=LONGEST)] = 60.0,
        bodies: Annotated[bool, Query(description="With texts: needs the role operate.")] = False,
        passwords: Annotated[bool, Query(description="With passwords of binds: needs the role operate.")] = False,
    ) -> StreamingResponse:
        """Record the links of an account or connector for a while; the file comes as it grows."""
        if (bodies or passwords) and not caller.may("operate"):
            raise Problem(403, "This key may not operate", "texts and passwords are for those who may")
        if account:
            _seen(caller, account)
        else:
            _whole(caller)
        wanted = Wanted(account, connector, seconds, bodies, passwords)
        started = _try(lambda: captures.begin(caller.name, wanted))
        return StreamingResponse(captures.stream(started), media_type="application/vnd.tcpdump.pcap")
