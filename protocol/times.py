"""The two forms of SMPP time (7.1.1): a moment with its time zone, or a span from now."""

import re
from datetime import UTC, datetime, timedelta

from protocol.consts import Status
from protocol.errors import LocalError, PduError

YEAR, MONTH, DAY = 365 * 86400, 30 * 86400, 86400
"""Seconds of a relative year, month and day: the specification leaves them open, and this is what peers count with."""

LONGEST = 99 * YEAR + 12 * MONTH + 4 * DAY + 86399
"""The longest span in whole seconds that the relative form holds."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FORM = re.compile(rb"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d)(\d\d)([-+Rr])")


def parse(value: bytes, now: float, status: Status = Status.RINVEXPIRY) -> float | None:
    """Epoch seconds; None for the empty time, which leaves the choice to the SMSC. Past moments are fine.

    Raises PduError with `status`: RINVEXPIRY for a validity_period, RINVSCHED for a schedule_delivery_time.
    A relative time may overflow its columns ("000000480000000R" is two days): real stacks send that.
    """
    if not value:
        return None
    form = _FORM.fullmatch(value)
    if form is None:
        raise PduError("not an SMPP time", status)
    year, month, day, hour, minute, second, tenth, quarters = map(int, form.groups()[:8])
    sign = form[9]
    if sign in b"Rr":
        span = year * YEAR + month * MONTH + day * DAY + hour * 3600 + minute * 60 + second
        return now + span + tenth / 10
    if quarters > 48:
        raise PduError("no time zone is more than 12 hours from UTC", status)
    try:
        moment = datetime(2000 + year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise PduError(f"no such time: {error}", status) from None
    east = quarters * 900 if sign == b"+" else -quarters * 900
    return (moment - _EPOCH) // timedelta(seconds=1) - east + tenth / 10


def absolute(when: float) -> bytes:
    """The moment in UTC, to the tenth of a second. Raises LocalError outside the years 2000 to 2099."""
    seconds, tenth = divmod(round(when * 10), 10)
    try:
        moment = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        moment = _EPOCH
    if not 2000 <= moment.year <= 2099:
        raise LocalError("SMPP times are of the years 2000 to 2099")
    return b"%b%d00+" % (moment.strftime("%y%m%d%H%M%S").encode(), tenth)


def relative(seconds: float) -> bytes:
    """The span in whole seconds, rounded up so that nothing expires early, and at most LONGEST."""
    left = min(max(-int(-seconds // 1), 0), LONGEST)
    years, left = divmod(left, YEAR)
    months, left = divmod(left, MONTH)
    days, left = divmod(left, DAY)
    hours, left = divmod(left, 3600)
    return b"%02d%02d%02d%02d%02d%02d000R" % (years, months, days, hours, left // 60, left % 60)
