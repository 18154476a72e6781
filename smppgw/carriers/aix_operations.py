"""What people may ask AIX beside sending."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from smppgw.carriers.aix_requests import FORM, PHONE, credentials, minute
from smppgw.carriers.aix_settings import AixSettings
from smppgw.carriers.client import Client
from smppgw.carriers.contract import Operation
from smppgw.values import Wrong


class Operations:
    """Each returns AIX's reply as it came, and raises Wrong for what need not be asked."""

    def __init__(self, settings: AixSettings, client: Client) -> None:
        self._settings = settings
        self._client = client
        self._who = credentials(settings)

    @property
    def by_name(self) -> Mapping[str, Operation]:
        return {
            "status": self.status,
            "checkreservation": self.checkreservation,
            "cancelreservation": self.cancelreservation,
            "numbercleaning": self.numbercleaning,
            "shortenurl": self.shortenurl,
            "separatedsuccesscount": self.separatedsuccesscount,
        }

    async def status(self, tag: str = "", date: str = "") -> Any:
        """Of the message with this client tag, or of all of a day (yyyymmdd)."""
        _one_of(tag=tag, date=date)
        return await self._ask(self._settings.status_at, clientTag=tag, date=_digits("date", date, 8) if date else "")

    async def checkreservation(self, tag: str = "", time: str = "", date: str = "", group: str = "") -> Any:
        """Reserved messages: by client tag, by minute ("2026-01-31 09:00") or by day (yyyymmdd), of a group or all."""
        _one_of(tag=tag, time=time, date=date)
        if time and not minute(time.encode()):
            raise Wrong(f"{time!r} is no minute", 'write it like "2026-01-31 09:00"')
        return await self._ask(
            f"{self._settings.operations_path}/checkreservation.json",
            smsCode=self._settings.sms_code,
            clientTag=tag,
            scheduleTime=time,
            scheduleDate=_digits("date", date, 8) if date else "",
            groupTag=group,
        )

    async def cancelreservation(self, tag: str) -> Any:
        """Of one message. The call that cancels many is not offered: without a filter it cancels everything."""
        if not tag.strip():
            raise Wrong("there is no client tag", "name the message to cancel")
        return await self._ask(f"{self._settings.operations_path}/cancelreservation.json", clientTag=tag)

    async def numbercleaning(self, phone: str, date: str) -> Any:
        """Has the number another owner since that day (yyyymmdd, 2 years back at most)? T: yes, N: no, else ERROR."""
        if not PHONE.fullmatch(phone):
            raise Wrong(f"{phone!r} is no mobile number of Japan", "write it like 09012345678 or +819012345678")
        path = f"{self._settings.operations_path}/numbercleaning.json"
        return await self._ask(path, phoneNumber=phone, referenceDate=_digits("date", date, 8))

    async def shortenurl(self, url: str, name: str = "", domain: str = "") -> Any:
        """A short URL for a long one."""
        if not 0 < len(url) <= 2048:
            raise Wrong(f"the URL has {len(url)} characters", "1 to 2048")
        if len(name) > 256:
            raise Wrong(f"the name has {len(name)} characters", "at most 256")
        fields = {key: value for key, value in (("name", name), ("longUrl", url), ("domain", domain)) if value}
        body = f"{self._who}&{urlencode(fields)}".encode()
        reply = await self._client.request("POST", self._settings.shorten_path, headers=FORM, body=body)
        return reply.json()

    async def separatedsuccesscount(self, month: str) -> Any:
        """Billed parts of a month (yyyymm), by carrier."""
        path = f"{self._settings.operations_path}/separatedsuccesscount.json"
        return await self._ask(path, month=_digits("month", month, 6))

    async def _ask(self, path: str, **fields: str) -> Any:
        given = {name: value for name, value in fields.items() if value}
        return (await self._client.request("GET", f"{path}?{self._who}&{urlencode(given)}")).json()


def _one_of(**given: str) -> None:
    if sum(map(bool, given.values())) != 1:
        raise Wrong("it does not say which", f"give one of {', '.join(given)}")


def _digits(name: str, value: str, count: int) -> str:
    if len(value) != count or not (value.isascii() and value.isdigit()):
        raise Wrong(f"{value!r} is no {name}", f"write {count} digits, like {'20260131'[:count]}")
    return value
