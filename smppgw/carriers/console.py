"""What a person asks a carrier beside sending: operations by name, arguments as key=value, replies as JSON."""

import asyncio
import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, quote_plus

from pydantic import BaseModel, SecretStr

from smppgw.carriers.client import BadReply, HttpClient
from smppgw.carriers.contract import Operation
from smppgw.carriers.registry import KINDS
from smppgw.carriers.settings import CarrierSettings
from smppgw.config import Config
from smppgw.exchange import Unanswered, Unsent
from smppgw.tls import for_client
from smppgw.values import Wrong, did_you_mean


class Failed(Exception):
    """The carrier could not be asked, or gave no answer that can be read: in one sentence, without secrets."""


def connector(config: Config, name: str) -> CarrierSettings:
    """An HTTPS carrier by its name in the config. Raises Wrong."""
    found = config.https.get(name)
    if found is not None:
        return found
    if name in config.connectors:
        raise Wrong(f"{name!r} binds to an SMSC, and has no operations", _known(config.https))
    raise Wrong(f"there is no HTTPS carrier {name!r}", _known(config.https, name))


def _known(names: Mapping[str, object], word: str = "") -> str:
    return did_you_mean(word, names) if names else "the config has no HTTPS carrier"


def listing(settings: CarrierSettings) -> list[str]:
    """A line for each operation with its arguments, those in brackets optional, and one with what it does."""
    operations = KINDS[settings.kind].make(settings, _client(settings)).operations
    if not operations:
        return [f"{settings.kind} has no operations"]
    return [line for name, operation in operations.items() for line in _told(name, operation)]


def _told(name: str, operation: Operation) -> Iterator[str]:
    words = [name]
    for key, default in _parameters(operation).items():
        words.append(f"{key}=..." if default is None else f"[{key}={default or '...'}]")
    yield " ".join(words)
    yield f"    {' '.join((inspect.getdoc(operation) or '').split())}"


def ask(settings: CarrierSettings, name: str, given: Sequence[str]) -> str:
    """The reply as JSON. Raises ValueError in words where nothing was asked, and Failed."""
    hidden = _secrets(settings)
    try:
        reply = asyncio.run(_ask(settings, name, given))
    except Unsent as error:
        reason = f"{settings.url} was not reached, so nothing was done: {error}"
    except Unanswered as error:
        reason = f"{settings.url} gave no whole reply, so nobody knows what was done: {error}"
    except BadReply as error:
        reason = f"the reply is not what the API promises: {error}"
    else:
        return json.dumps(_without(reply, hidden), ensure_ascii=False, indent=2, default=str)
    raise Failed(_without(reason, hidden))


async def _ask(settings: CarrierSettings, name: str, given: Sequence[str]) -> Any:
    client = _client(settings)
    try:
        operations = KINDS[settings.kind].make(settings, client).operations
        if name not in operations:
            hint = did_you_mean(name, operations) if operations else f"{settings.kind} has none"
            raise Wrong(f"there is no operation {name!r}", hint)
        return await operations[name](**arguments(name, operations[name], given))
    finally:
        await client.close()


def arguments(name: str, operation: Operation, given: Sequence[str]) -> dict[str, str]:
    """From key=value; each must exist, once, and none that is needed may be absent. Raises Wrong."""
    known = _parameters(operation)
    found: dict[str, str] = {}
    for word in given:
        key, equals, value = word.partition("=")
        if not equals:
            raise Wrong(f"{word!r} is no argument", f"write key=value; {name} has {', '.join(known) or 'none'}")
        if key not in known:
            hint = did_you_mean(key, known) if known else "it has none"
            raise Wrong(f"{name} has no argument {key!r}", hint)
        if key in found:
            raise Wrong(f"{key} is given twice", "give it once")
        found[key] = value
    absent = [key for key, default in known.items() if default is None and key not in found]
    if absent:
        raise Wrong(f"{name} needs {' and '.join(absent)}", f"add {' '.join(f'{key}=...' for key in absent)}")
    return found


def _parameters(operation: Operation) -> dict[str, str | None]:
    """Names and defaults; None: there is none."""
    parameters = inspect.signature(operation).parameters.values()
    return {each.name: None if each.default is each.empty else str(each.default) for each in parameters}


def _client(settings: CarrierSettings) -> HttpClient:
    return HttpClient(
        settings.url, connections=1, connect=settings.connect, timeout=settings.response, tls=for_client(settings)
    )


def _secrets(settings: BaseModel) -> list[str]:
    """Every secret of the config in every way that a reply or a message could repeat it; the longest first."""
    found = {
        form
        for secret in _values(settings)
        for form in (secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1])
    }
    return sorted(found - {""}, key=len, reverse=True)


def _values(value: object) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _values(getattr(value, name))
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _values(each)


def _without(shown: Any, secrets: Sequence[str]) -> Any:
    """The same with *** in place of secrets."""
    if isinstance(shown, str):
        for secret in secrets:
            shown = shown.replace(secret, "***")
        return shown
    if isinstance(shown, Mapping):
        return {_without(str(key), secrets): _without(value, secrets) for key, value in shown.items()}
    if isinstance(shown, list | tuple):
        return [_without(each, secrets) for each in shown]
    return shown
