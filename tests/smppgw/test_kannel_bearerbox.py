"""The commands of the admin port change the running gateway, and its status shows it."""

import xml.etree.ElementTree as ET
from pathlib import Path

from protocol.consts import Command, Status
from protocol.pdus import SubmitSm
from smppgw.kannel.bearerbox import version
from smppgw.kannel.dlr import uuid
from tests.smppgw.boxed import CORE, Boxed, boxed, smsc
from tests.smppgw.jumping import advance, jumping, until
from tests.smppgw.upstream import Upstream

FROM_MOBILE = SubmitSm(source_addr=b"447911", destination_addr=b"100", short_message=b"hello")


async def status(box: Boxed) -> ET.Element:
    return ET.fromstring(await box.command("/status.xml"))


async def up(box: Boxed, *ids: str) -> None:
    await until(lambda: all(box.app.connectors[id].up for id in ids))


def words(found: ET.Element, path: str) -> list[str]:
    return [element.text or "" for element in found.findall(path)]


@jumping
async def test_the_status_counts_what_goes_and_comes(tmp_path: Path) -> None:
    async with Upstream() as smsc_, boxed(tmp_path, smsc("A", smsc_.port)) as box:
        await up(box, "A")
        assert await box.command("/status.txt")
        sending = box.send("447911")
        assert (await sending) == (202, "0: Accepted for delivery")
        await until(lambda: smsc_.submits)
        found = await status(box)
        assert words(found, "sms/sent/total") == ["0"]
        assert words(found, "sms/sent/queued") == ["1"]
        smsc_.accept(b"1")
        await until(lambda: not box.app.pipeline.queued)
        found = await status(box)
        assert words(found, "sms/sent/total") == words(found, "smscs/smsc/sms/sent") == ["1"]
        assert words(found, "sms/outbound") != ["0.00,0.00,0.00"]
        assert words(found, "smscs/smsc/name") == [f"SMPP:127.0.0.1:{smsc_.port}/{smsc_.port}:user:"]
        assert words(found, "boxes/box/id") == ["box"]


@jumping
async def test_a_link_is_online_for_seconds_or_says_how_it_is_not(tmp_path: Path) -> None:
    async with Upstream() as smsc_, boxed(tmp_path, smsc("A", smsc_.port, "instances = 2")) as box:
        await up(box, "A")
        await until(lambda: len(getattr(box.app.connectors["A"], "binds", ())) == 2)
        assert words(await status(box), "smscs/smsc/status") == ["online 0s", "online 0s"]
        await advance(7)
        box.face.bearerbox.sample()
        smsc_.leave()
        await until(lambda: not box.app.connectors["A"].up)
        assert words(await status(box), "smscs/smsc/status") == ["re-connecting", "re-connecting"]


@jumping
async def test_while_isolated_smscs_are_asked_to_come_again(tmp_path: Path) -> None:
    async with Upstream() as smsc_, boxed(tmp_path, smsc("A", smsc_.port)) as box:
        await up(box, "A")
        assert await box.command("/isolate") == "Kannel isolated from message providers"
        smsc_.deliver(FROM_MOBILE)
        await until(lambda: smsc_.answered)
        assert smsc_.answered == [(Command.DELIVER_SM_RESP, Status.RX_T_APPN)]
        await box.send("447911")
        await until(lambda: smsc_.submits)
        assert words(await status(box), "status")[0].startswith("isolated, uptime ")
        await box.command("/resume")
        smsc_.deliver(FROM_MOBILE)
        await until(lambda: len(smsc_.answered) == 2)
        assert smsc_.answered[-1] == (Command.DELIVER_SM_RESP, Status.ROK)


@jumping
async def test_while_suspended_messages_are_taken_and_wait(tmp_path: Path) -> None:
    async with Upstream() as smsc_, boxed(tmp_path, smsc("A", smsc_.port)) as box:
        await up(box, "A")
        assert await box.command("/suspend") == "Kannel suspended"
        assert (await box.send("447911"))[0] == 202
        await advance(5)
        assert not smsc_.submits
        await box.command("/resume")
        await until(lambda: smsc_.numbers == [b"447911"])


@jumping
async def test_an_smsc_is_stopped_and_started_by_its_admin_id_and_its_messages_wait(tmp_path: Path) -> None:
    async with Upstream() as smsc_, boxed(tmp_path, smsc("A", smsc_.port, "smsc-admin-id = first")) as box:
        await up(box, "A")
        await box.command("/suspend")
        await box.send("447911")
        assert await box.command("/stop-smsc", smsc="A") == "Could not shut down smsc-id `A'"
        assert await box.command("/stop-smsc", smsc="first") == "SMSC `first' shut down"
        assert await box.command("/stop-smsc", smsc="first") == "Could not shut down smsc-id `first'"
        await until(lambda: not smsc_.links)
        await box.command("/resume")
        assert await box.send("447912") == (403, "Not routable. Do not try again.")
        assert words(await status(box), "smscs/smsc/status") == ["dead"]
        assert len(box.app.pipeline.queued) == 1
        assert await box.command("/start-smsc", smsc="first") == "SMSC `first' re-started"
        assert await box.command("/start-smsc", smsc="first") == "Could not re-start smsc-id `first'"
        await until(lambda: smsc_.numbers == [b"447911"])


@jumping
async def test_what_waits_for_an_smsc_that_never_comes_back_expires(tmp_path: Path) -> None:
    async with Upstream() as smsc_, boxed(tmp_path, smsc("A", smsc_.port)) as box:
        await up(box, "A")
        await box.command("/suspend")
        await box.send("447911", validity="10")
        await box.command("/remove-smsc", smsc="A")
        await box.command("/resume")
        box.app.pipeline.clock = lambda: 1e10  # the pipeline lives by the time of day
        await advance(61)
        assert not box.app.pipeline.queued


@jumping
async def test_an_smsc_is_removed_and_added_as_the_files_say_now(tmp_path: Path) -> None:
    async with Upstream() as smsc_, boxed(tmp_path, smsc("A", smsc_.port)) as box:
        await up(box, "A")
        conf = tmp_path / "kannel.conf"
        conf.write_text(conf.read_text() + smsc("B", smsc_.port))
        assert await box.command("/add-smsc", smsc="A") == "Could not add smsc-id `A'"
        assert await box.command("/add-smsc", smsc="nobody") == "Could not add smsc-id `nobody'"
        assert await box.command("/add-smsc", smsc="B") == "SMSC `B' added"
        await up(box, "A", "B")
        assert await box.command("/remove-smsc", smsc="A") == "SMSC `A' removed"
        assert await box.command("/remove-smsc", smsc="A") == "Could not remove smsc-id `A'"
        assert words(await status(box), "smscs/smsc/id") == ["B"]
        assert list(box.app.connectors) == ["B"]


@jumping
async def test_with_bad_files_nothing_is_started(tmp_path: Path) -> None:
    async with Upstream() as smsc_, boxed(tmp_path, smsc("A", smsc_.port)) as box:
        await up(box, "A")
        await box.command("/stop-smsc", smsc="A")
        (tmp_path / "kannel.conf").write_text("group = nonsense\n")
        assert await box.command("/start-smsc", smsc="A") == "Could not re-start smsc-id `A'"
        assert words(await status(box), "smscs/smsc/status") == ["dead"]


@jumping
async def test_receipts_that_are_still_to_come_are_forgotten_by_flush_dlr(tmp_path: Path) -> None:
    async with Upstream() as smsc_, boxed(tmp_path, smsc("A", smsc_.port)) as box:
        await up(box, "A")
        await box.send("447911", **{"dlr-mask": "31", "dlr-url": "http://127.0.0.1:1/"})
        await until(lambda: smsc_.submits)
        smsc_.accept(b"1")
        await until(lambda: len(box.app.pipeline.ledger) == 1)
        assert words(await status(box), "dlr/queued") == ["1"]
        await box.command("/suspend")
        assert await box.command("/flush-dlr") == "DLR queue flushed"
        assert words(await status(box), "dlr/queued") == ["0"]


@jumping
async def test_the_store_shows_what_waits_and_a_message_is_removed_by_its_id(tmp_path: Path) -> None:
    core = CORE + "store-type = file\n"
    async with Upstream() as smsc_, boxed(tmp_path, smsc("A", smsc_.port), core) as box:
        await box.command("/suspend")
        await box.send("447911", "two words", smsc="A", udh="\x02\x7f\x00", coding="1")
        head, line, *rest = (await box.command("/store-status")).splitlines()
        assert head.startswith("[SMS ID] [Type]")
        assert not rest
        fields = line[1:-1].split("] [")
        assert fields[1] == "MT-PUSH"
        assert fields[3:] == ["100", "447911", "A", "box", "-1:1:-1:-1:-1", "%02%7F%00", "two+words"]
        assert words(await status(box), "sms/storesize") == ["1"]
        [id] = box.app.pipeline.queued
        assert fields[0] == uuid(id).decode()
        assert await box.command("/remove-message", id=fields[0]) == f"Message id `{fields[0]}' removed"
        assert not box.app.pipeline.queued
        assert words(await status(box), "sms/storesize") == ["0"]


@jumping
async def test_a_message_that_an_smsc_has_is_not_removed(tmp_path: Path) -> None:
    async with Upstream() as smsc_, boxed(tmp_path, smsc("A", smsc_.port)) as box:
        await up(box, "A")
        await box.send("447911")
        await until(lambda: smsc_.submits)
        id = uuid(next(iter(box.app.pipeline.queued))).decode()
        assert await box.command("/remove-message", id=id) == f"Could not remove message id `{id}'"


@jumping
async def test_a_shutdown_ends_it_and_a_restart_begins_anew(tmp_path: Path) -> None:
    async with boxed(tmp_path, "") as box:
        assert await box.command("/restart") == "Restarting....."
        assert box.app.again
        assert box.face.state.is_over


@jumping
async def test_a_graceful_restart_reads_the_files_and_leaves_dead_what_was_stopped(tmp_path: Path) -> None:
    async with Upstream() as smsc_, boxed(tmp_path, smsc("A", smsc_.port) + smsc("B", smsc_.port)) as box:
        await up(box, "A", "B")
        await box.command("/stop-smsc", smsc="B")
        conf = tmp_path / "kannel.conf"
        conf.write_text(conf.read_text() + smsc("C", smsc_.port))
        assert await box.command("/graceful-restart") == "Restarting gracefully....."
        await up(box, "A", "C")
        found = await status(box)
        assert words(found, "smscs/smsc/id") == ["A", "B", "C"]
        assert words(found, "smscs/smsc/status")[1] == "dead"


def test_the_version_can_be_read_where_kannels_was() -> None:
    assert version().startswith("Kannel bearerbox version `smppgw-")
    assert version().endswith(".\n")
