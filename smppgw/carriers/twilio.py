"""What Twilio's APIs have in common: who we are there, which notifications are theirs, what their refusals mean."""

import hmac
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import AfterValidator, SecretStr, model_validator

from protocol.consts import Status
from smppgw.carriers.client import BadReply, Client, Reply
from smppgw.carriers.contract import Answer, Hook, HookRefused, by_status, doubt, later, never, sent
from smppgw.carriers.settings import CarrierSettings
from smppgw.values import Wrong

MAX_PAGES = 1000
_DEFAULT_PORTS = {"http": 80, "https": 443}


def sid(prefix: str) -> AfterValidator:
    """A Twilio id of this kind, or nothing."""
    pattern = re.compile(f"{prefix}[0-9a-fA-F]{{32}}")

    def read(value: str) -> str:
        if value and not pattern.fullmatch(value):
            raise Wrong(f"{value!r} is no {prefix} sid", f"{prefix} and 32 hex digits, as Twilio's console shows it")
        return value

    return AfterValidator(read)


class TwilioSettings(CarrierSettings):
    account_sid: Annotated[str, sid("AC")]
    auth_token: SecretStr = SecretStr("")
    api_key: Annotated[str, sid("SK")] = ""
    api_secret: SecretStr = SecretStr("")
    verify_signature: bool = True
    webhook_options: str = ""
    """What follows "#" in the URL that Twilio is told."""

    @model_validator(mode="after")
    def _who_we_are(self) -> "TwilioSettings":
        if not self.account_sid:
            raise Wrong("account_sid is empty", "AC and 32 hex digits, as Twilio's console shows it")
        if bool(self.api_key) is not bool(self.api_secret.get_secret_value()):
            raise Wrong("api_key goes with api_secret", "give both or none")
        if not self.api_key and not self.auth_token.get_secret_value():
            raise Wrong("there are no credentials", "give auth_token, or api_key and api_secret")
        if self.webhook_path and self.verify_signature and not self.auth_token.get_secret_value():
            raise Wrong(
                "signatures of webhooks cannot be checked without auth_token",
                "give auth_token beside the API key, or verify_signature = false and webhook_networks",
            )
        if not re.fullmatch(r"[A-Za-z0-9=&,.-]*", self.webhook_options):
            raise Wrong(f"{self.webhook_options!r} are no connection overrides", 'write them like "rc=3&rp=all"')
        return self


# Signatures


def signature(token: bytes, url: str, fields: Iterable[tuple[str, str]] = ()) -> bytes:
    """X-Twilio-Signature of a request to this URL. `fields` are those of a form, and of nothing else."""
    signed = url + "".join(name + value for name, value in sorted(set(fields)))
    return b64encode(hmac.digest(token, signed.encode("utf-8", "replace"), "sha1"))


def _spellings(url: str, user: str) -> Iterator[str]:
    """The same URL as Twilio may have signed it: with and without its port, and `user`, which ends in "@"."""
    yield url
    try:
        parts = urlsplit(url)
        host, port = parts.netloc.rpartition("@")[2], parts.port
    except ValueError:
        return
    bare = host.removesuffix(f":{port}") if port is not None else host
    hosts = (host, bare, f"{bare}:{port or _DEFAULT_PORTS.get(parts.scheme, 443)}")
    for netloc in dict.fromkeys([*hosts, *(user + each for each in hosts)]):
        if netloc != parts.netloc:
            yield urlunsplit(parts._replace(netloc=netloc))


# Refusals


class Meaning(NamedTuple):
    """What one of Twilio's codes says of a request."""

    verdict: Literal["later", "never"]
    status: int
    reason: str
    alarm: bool = False


COMMON: Mapping[int, Meaning] = {
    20003: Meaning("later", Status.RSYSERR, "permission denied: check the credentials and the account", True),
    20005: Meaning("later", Status.RSYSERR, "the account is not active", True),
}
"""By the code in an error's body; 20429 and every other reply of status 429 is about the rate."""


def read_answer(reply: Reply, meanings: Mapping[int, Meaning]) -> Answer:
    """What became of a request to create something. Reasons are our own words: Twilio's name addresses."""
    if reply.status not in (200, 201):
        return _refusal(reply, meanings)
    try:
        body = reply.json()
    except BadReply as error:
        return doubt(str(error), code="bad reply")
    id = body.get("sid") if isinstance(body, dict) else None
    if not isinstance(id, str) or not is_id(id):
        return doubt("the reply names no sid", code="bad reply")
    return sent(id.encode())


def _refusal(reply: Reply, meanings: Mapping[int, Meaning]) -> Answer:
    code = error_code(reply)
    if code is None:
        return by_status(reply)
    if reply.status == 429 or code == 20429:  # the request was not processed, so it is safe to repeat
        return later(Status.RTHROTTLED, "too many requests", code=str(code), wait=reply.retry_after or 1.0)
    meaning = meanings.get(code)
    if meaning is None or reply.status >= 500:
        reason = f"http {reply.status}, www.twilio.com/docs/errors/{code}"
        return by_status(reply)._replace(code=str(code), reason=reason)
    if meaning.verdict == "never":
        return never(meaning.status, meaning.reason, code=str(code))
    return later(meaning.status, meaning.reason, code=str(code), alarm=meaning.alarm)


def error_code(reply: Reply) -> int | None:
    """Of an error's body; None where it has none."""
    try:
        body = reply.json()
    except BadReply:
        return None
    code = body.get("code") if isinstance(body, dict) else None
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def number_of(code: object) -> int:
    """The error code of a notification ("30003") or resource (30003, null); 0 where there is none."""
    if isinstance(code, int):
        return int(code)
    return int(code) if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) <= 9 else 0


def error_of(code: int) -> bytes:
    """`err` of a receipt, of three digits, for a code that no table lists."""
    return b"%03d" % (code % 1000 or 999)


def moment_of(date: object) -> float | None:
    """A date of a resource, of RFC 2822 or ISO 8601, as epoch seconds."""
    if not isinstance(date, str):
        return None
    try:
        moment = parsedate_to_datetime(date) if "," in date else datetime.fromisoformat(date)
        return moment.timestamp() if moment.tzinfo else None
    except (ValueError, TypeError, OverflowError):
        return None


def is_id(text: str) -> bool:
    """Could it be a sid? Lax, so that a new kind is no stranger."""
    return 0 < len(text) <= 64 and text.isascii() and text.isalnum()


# The account


class Account:
    """Our account: what we ask with its credentials, and what it signed."""

    def __init__(self, settings: TwilioSettings, client: Client) -> None:
        self._client = client
        user, secret = settings.account_sid, settings.auth_token
        if settings.api_key:
            user, secret = settings.api_key, settings.api_secret
        basic = b64encode(f"{user}:{secret.get_secret_value()}".encode()).decode()
        self._headers = {"Authorization": f"Basic {basic}", "Accept": "application/json"}
        self._token = settings.auth_token.get_secret_value().encode()
        self._verifies = settings.verify_signature
        self._fragment = f"#{settings.webhook_options}" if settings.webhook_options else ""
        password = settings.webhook_password.get_secret_value()
        self._user = f"{quote(settings.webhook_user, safe='')}:{quote(password, safe='')}@" if password else ""
        scheme, between, rest = settings.webhook_url.partition("://")
        self.webhook = f"{scheme}{between}{self._user}{rest}{self._fragment}" if rest else ""
        """What Twilio is told to call; empty: nothing."""

    async def ask(self, method: str, path: str, form: Mapping[str, str] | None = None) -> Reply:
        return await self._client.request(method, path, headers=self._headers, form=form)

    async def resource(self, method: str, path: str, form: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The JSON object of a reply; raises BadReply for every other reply."""
        reply = await self.ask(method, path, form)
        if not 200 <= reply.status < 300:
            raise BadReply(f"http {reply.status}: {reply.excerpt}")
        if reply.status == 204:
            return {}
        body = reply.json()
        if not isinstance(body, dict):
            raise BadReply("the reply is no object")
        return body

    async def entries(self, path: str, most: int) -> list[dict[str, Any]]:
        """The first entries of a list, whichever shape its pages have. Raises BadReply.

        Of a link to the next page only path and query are followed: our credentials stay with our host.
        """
        found: list[dict[str, Any]] = []
        for _ in range(MAX_PAGES):
            page = await self.resource("GET", path)
            meta = page.get("meta")
            key, link = "messages", page.get("next_page_uri")
            if isinstance(meta, dict):
                key, link = str(meta.get("key")), meta.get("next_page_url")
            entries = page.get(key)
            if isinstance(entries, list):
                found.extend(entry for entry in entries if isinstance(entry, dict))
            if len(found) >= most or not isinstance(link, str) or not link:
                break
            try:
                parts = urlsplit(link)
            except ValueError:
                raise BadReply("the link to the next page is no URL") from None
            if not parts.path.startswith("/"):  # "a:https://..." has a path that is a URL itself
                raise BadReply("the link to the next page has no path")
            path = f"{parts.path}?{parts.query}"
        return found[:most]

    def fields(self, hook: Hook) -> dict[str, str]:
        """What a notification says: by form, by query or as JSON. Raises HookRefused, also for one that is forged."""
        if hook.method == "GET":
            self._verify(hook, ())
            return dict(hook.query)
        if hook.method != "POST":
            raise HookRefused(405, "POST or GET is expected")
        if not hook.headers.get("Content-Type", "").lower().startswith("application/json"):
            pairs = hook.form
            self._verify(hook, pairs)
            return dict(pairs)
        if self._verifies:  # the URL is signed, and with it the hash of the body
            stated = dict(hook.query).get("bodySHA256", "")
            if not _same(stated, sha256(hook.body).hexdigest().encode()):
                raise HookRefused(403, "bodySHA256 is not that of the body")
            self._verify(hook, ())
        said = hook.json
        if not isinstance(said, dict):
            raise HookRefused(400, "the body is no object")
        return {name: str(value) for name, value in said.items() if isinstance(value, (str, int))}

    def _verify(self, hook: Hook, fields: Iterable[tuple[str, str]]) -> None:
        """Whether user and connection overrides are signed with the URL is not documented: both will do."""
        if not self._verifies:
            return
        stated = hook.headers.get("X-Twilio-Signature", "")
        if not stated or not self._token:
            raise HookRefused(403, "there is no X-Twilio-Signature" if self._token else "there is no auth_token")
        for url in _spellings(hook.url, self._user):
            for fragment in {"", self._fragment}:
                if _same(stated, signature(self._token, url + fragment, fields)):
                    return
        raise HookRefused(403, "X-Twilio-Signature is wrong: the token, or the URL that Twilio was told, is another")


def _same(stated: str, right: bytes) -> bool:
    return hmac.compare_digest(stated.encode("utf-8", "replace"), right)


def path_of(id: bytes | str) -> str:
    """An id as the last piece of a path."""
    return quote(id, safe="")


def limit_of(limit: str) -> int:
    """How many entries of a list are wanted; raises ValueError in words."""
    if not (limit.isascii() and limit.isdigit() and 0 < int(limit) <= 100_000):
        raise ValueError(f"limit {limit!r} is not a number from 1 to 100000")
    return int(limit)
