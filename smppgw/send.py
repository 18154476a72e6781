"""Send one message with a client that is not ours, and show its receipt."""

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from typing import Any

from rich.console import Console

_CONNECT = 10.0
"""Seconds for the connection, the bind and the response, each."""
_GOING = frozenset({"ENROUTE", "ACCEPTD"})


class SendError(Exception):
    """What went wrong, in words for the person who typed the command."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One message and where it goes."""

    host: str
    port: int
    system_id: str
    password: str
    source: str
    destination: str
    text: str
    wait: float = 30.0
    """Seconds for the receipt; 0: none is asked for."""


def send(letter: Letter, console: Console | None = None) -> int:
    """0 when the message was accepted and its receipt, if it waited for one, says DELIVRD; 1 otherwise."""
    console = console or Console(highlight=False, soft_wrap=True)
    try:
        return asyncio.run(_send(letter, console))
    except SendError as error:
        console.print(str(error), style="red", markup=False)
        return 1


async def _send(letter: Letter, console: Console) -> int:
    # Imported here: it takes a fifth of a second, which every other command would wait for, too.
    from aiosmpplib import ESME, PhoneNumber, SubmitSm  # noqa: PLC0415
    from aiosmpplib.hook import AbstractHook  # noqa: PLC0415
    from aiosmpplib.protocol import DeliverSm, GenericNack, SubmitSmResp  # noqa: PLC0415
    from aiosmpplib.state import SmppError  # noqa: PLC0415

    came: asyncio.Queue[Any] = asyncio.Queue()

    class Hook(AbstractHook):  # type: ignore[misc]
        """Three methods are required; an exception in any of them would end the client."""

        async def sending(self, smpp_message: object, pdu: bytes, client_id: str) -> None:
            pass

        async def received(self, smpp_message: object, pdu: bytes, client_id: str) -> None:
            del client_id
            if smpp_message is None:
                came.put_nowait(SendError(f"a PDU came that the client cannot read: {pdu.hex()}"))
            elif isinstance(smpp_message, DeliverSm | SubmitSmResp | GenericNack):
                came.put_nowait(smpp_message)

        async def send_error(self, smpp_message: object, error: Exception, client_id: str) -> None:
            del smpp_message, client_id
            came.put_nowait(SendError(f"the message could not be sent: {error or type(error).__name__}"))

    try:
        esme = ESME(
            letter.host, letter.port, letter.system_id, letter.password,
            hook=Hook(), log_level=logging.CRITICAL + 1, log_handler=logging.NullHandler(),
            socket_timeout=_CONNECT, enquire_link_interval=30.0,
        )  # fmt: skip
        message = SubmitSm(
            short_message=letter.text,
            source=PhoneNumber(letter.source, *_kind(letter.source)),
            destination=PhoneNumber(letter.destination, *_kind(letter.destination)),
            registered_delivery=1 if letter.wait else 0,
            log_id="1",
        )
    except ValueError as error:
        raise SendError(f"SMPP does not allow this: {error}") from None
    opened = None
    try:
        try:
            await esme.connect()
        except SmppError as error:
            raise SendError(_bind_refused(letter, error.command_status)) from None
        except TimeoutError:
            raise SendError(f"{letter.host}:{letter.port} does not answer the bind") from None
        except (OSError, asyncio.IncompleteReadError) as error:
            raise SendError(_unreachable(letter, error)) from None
        except ValueError:  # of what is no PDU
            raise SendError(f"{letter.host}:{letter.port} answers, but not in SMPP; is it the right port?") from None
        opened = esme._writer
        await esme.broker.enqueue(message)
        running = asyncio.create_task(esme.start())
        try:
            return await _follow(letter, console, came, running)
        finally:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(esme.stop(), 2)
            running.cancel()
            await asyncio.wait([running])
    finally:
        await _hang_up(opened or esme._writer)  # it never closes its socket by itself


async def _hang_up(writer: asyncio.StreamWriter | None) -> None:
    if writer is not None:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _follow(letter: Letter, console: Console, came: "asyncio.Queue[Any]", running: "asyncio.Task[None]") -> int:
    number = ""
    receipts: list[Any] = []
    loop = asyncio.get_running_loop()
    until = loop.time() + _CONNECT
    while True:
        getting = asyncio.create_task(came.get())
        done, _ = await asyncio.wait({getting, running}, timeout=until - loop.time(), return_when="FIRST_COMPLETED")
        if getting not in done:
            getting.cancel()
            if running in done:
                raise SendError("the connection was lost")
            if number:
                raise SendError(
                    f"no receipt for {number} within {letter.wait:g} s; the message may still be on its way"
                )
            raise SendError(f"no answer to the message within {_CONNECT:g} s; nobody knows whether it was taken")
        found = getting.result()
        if isinstance(found, SendError):
            raise found
        if hasattr(found, "is_receipt"):
            if not found.is_receipt():
                console.print(f"a message from {found.source.number}: {found.short_message}", markup=False)
                continue
            receipts.append(found)
        elif found.command_status != 0:
            raise SendError(f"refused: {_name(found.command_status)}")
        else:
            number = getattr(found, "message_id", "")
            console.print(f"accepted, id {number}", style="green", markup=False)
            if not letter.wait:
                return 0
            until = loop.time() + letter.wait
        if number:
            state = _receipt(number, receipts, console)
            if state and state not in _GOING:
                return 0 if state == "DELIVRD" else 1


def _receipt(number: str, receipts: list[Any], console: Console) -> str:
    """Show those of our message, and forget the others; the last state."""
    state = ""
    for receipt in receipts:
        said = receipt.parse_receipt()
        if said.get("id") == number:
            state = str(said.get("stat", ""))
            style = "green" if state == "DELIVRD" else "yellow"
            console.print(f"receipt: {receipt.short_message}", style=style, markup=False)
    receipts.clear()
    return state


def _kind(address: str) -> tuple[Any, Any]:
    from aiosmpplib.state import NPI, TON  # noqa: PLC0415

    if not address.lstrip("+").isdecimal():
        return TON.ALPHANUMERIC, NPI.UNKNOWN
    return (TON.NETWORK_SPECIFIC, NPI.UNKNOWN) if len(address) < 7 else (TON.INTERNATIONAL, NPI.ISDN)


def _name(status: Any) -> str:
    return f"{status.name.removeprefix('ESME_')} (0x{int(status):02X})"


def _bind_refused(letter: Letter, status: Any) -> str:
    reasons = {
        "ESME_RINVPASWD": "the password is wrong",
        "ESME_RINVSYSID": f"no account {letter.system_id!r}, or not from this address",
        "ESME_RALYBND": "this account has all the binds it may have",
        "ESME_RBINDFAIL": "this account may not bind now, or not in this mode",
    }
    reason = reasons.get(status.name, "the SMSC gives no other reason")
    return f"{letter.host}:{letter.port} refused the bind with {_name(status)}: {reason}"


def _unreachable(letter: Letter, error: Exception) -> str:
    where = f"{letter.host}:{letter.port}"
    if isinstance(error, ConnectionRefusedError):
        return f"nothing is listening on {where}"
    if isinstance(error, ConnectionError | asyncio.IncompleteReadError):
        why = "is it SMPP without TLS, and has it blocked this address after wrong passwords?"
        return f"{where} closed the connection before it answered the bind; {why}"
    return f"{where} cannot be reached: {getattr(error, 'strerror', None) or error}"
