"""The keys of a connector to AIX."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, SecretStr, Strict, model_validator

from protocol.consts import MessageState
from smppgw.carriers import aix_events
from smppgw.carriers.aix_texts import SHORT, Counted
from smppgw.carriers.settings import CarrierSettings
from smppgw.settings import Duration, Tag
from smppgw.values import Wrong

_NEW: Final = "https://sms-api.aossms.com"
_OLD: Final = "https://qpd-api.aossms.com"

Generation = Literal["p1", "p4", "p11", "p5"]
Path = Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._~-]+)+$|^$")]
Limit = Annotated[int, Field(ge=0, le=2000)]
Stat = Literal["UNDELIV", "EXPIRED", "REJECTD", "DELETED", "UNKNOWN"]
STATES: Final[Mapping[str, MessageState]] = {
    "UNDELIV": MessageState.UNDELIVERABLE,
    "EXPIRED": MessageState.EXPIRED,
    "REJECTD": MessageState.REJECTED,
    "DELETED": MessageState.DELETED,
    "UNKNOWN": MessageState.UNKNOWN,
}


def _states(value: dict[str, Stat]) -> dict[str, Stat]:
    for code in value:
        if not (len(code) in {3, 5} and code.isascii() and code.isdigit()):
            raise Wrong(f"{code!r} is no code of AIX", 'write the last three digits or all five: "824" or "31824"')
    return value


def _names(value: dict[str, str]) -> dict[str, str]:
    for name in value:
        if name not in aix_events.NAMES:
            raise Wrong(f"{name!r} is no field", f"known are: {', '.join(aix_events.NAMES)}")
    return value


class AixSettings(CarrierSettings):
    kind: Literal["aix"] = "aix"
    url: Annotated[str, Field(pattern=r"^https?://[^/?#]+[^?#]*$")] = _NEW
    """Of the older generations another, see `_host`."""
    country_code: Annotated[str, Field(pattern=r"^[0-9]{0,3}$")] = "81"
    national_prefix: Annotated[str, Field(pattern=r"^[0-9]{0,4}$")] = "0"
    generation: Generation = "p5"
    token: Annotated[SecretStr, Field(min_length=1)]
    client_id: Annotated[str, Field(pattern=r"^[0-9]+$")]
    sms_code: Annotated[str, Field(pattern=r"^[0-9A-Za-z]{5,6}$")]
    send_path: Path = ""
    status_path: Path = ""
    operations_path: Path = "/p5/api"
    shorten_path: Path = "/p1/api/shortenurl.json"
    phone_number: Literal["international", "national"] = "international"
    tag_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{0,184}$")] = ""
    duplicate_codes: Annotated[tuple[int, ...], Strict(False)] = (400,)
    quota_wait: Duration = 300.0
    charset_check: Literal["warn", "refuse", "off"] = "warn"
    utc_offset: Annotated[float, Field(ge=-14, le=14)] = 9.0
    states: Annotated[dict[str, Stat], AfterValidator(_states)] = Field(default_factory=dict)
    xml_names: Annotated[dict[str, str], AfterValidator(_names)] = Field(default_factory=dict)
    # p5 alone
    carrier_id: Literal["automatic", "detected", "au", "docomo", "softbank", "rakuten"] = "automatic"
    group_tag: Annotated[str, Field(max_length=200)] = ""
    schedule_tlv: Tag | None = None
    # p1, p4 and p11 alone
    bodies: Literal["all", "detected"] = "all"
    short_text: Annotated[str, Field(max_length=SHORT)] = ""
    max_docomo: Limit = 660
    max_au: Limit = 670
    max_softbank: Limit = 332
    max_rakuten: Limit = 670
    max_unknown: Limit = SHORT
    au_octets: Counted = "both"
    charset: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]*$")] = ""

    @model_validator(mode="before")
    @classmethod
    def _host(cls, given: Any) -> Any:
        """The older generations have a host of their own."""
        if isinstance(given, dict) and "url" not in given and given.get("generation") in {"p1", "p4", "p11"}:
            return {**given, "url": _OLD}
        return given

    @model_validator(mode="after")
    def _of_one_generation(self) -> "AixSettings":
        old = self.generation != "p5"
        for key, default in (("carrier_id", "automatic"), ("group_tag", ""), ("schedule_tlv", None)):
            if old and getattr(self, key) != default:
                raise Wrong(f"{key} means nothing in {self.generation}", 'leave it out, or set generation = "p5"')
        for key in ("bodies", "short_text", "charset", "au_octets"):
            if not old and getattr(self, key) != type(self).model_fields[key].default:
                raise Wrong(f"{key} means nothing in p5", f'leave {key} out, or name an older generation like "p11"')
        return self

    @property
    def send_at(self) -> str:
        return self.send_path or f"/{self.generation}/api/mt.json"

    @property
    def status_at(self) -> str:
        return self.status_path or f"/{self.generation}/api/status.json"
