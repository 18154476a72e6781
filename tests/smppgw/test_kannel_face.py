"""A face lets requests in once all is restored, and brings out what they come to."""

import asyncio
import json
from pathlib import Path

from protocol.pdus import SubmitSm
from smppgw.app import App
from smppgw.kannel.dlr import VERSION
from smppgw.kannel.model import SendsmsUser
from smppgw.kannel.setup import read
from tests.smppgw.boxed import CORE, SMSBOX, ask, boxed, smsc
from tests.smppgw.jumping import advance, jumping, until
from tests.smppgw.upstream import Upstream

SERVICE = """
group = sms-service
keyword = default
text = "thank you"
"""


@jumping
async def test_what_sendsms_takes_goes_to_the_smsc_that_it_is_for(tmp_path: Path) -> None:
    async with Upstream() as one, Upstream() as two:
        smscs = smsc("one", one.port, "allowed-smsc-id = one") + smsc("two", two.port, "allowed-smsc-id = two")
        async with boxed(tmp_path, smscs) as box:
            await until(lambda: all(each.up for each in box.app.connectors.values()))
            assert (await box.send("441", smsc="one"))[1] == "0: Accepted for delivery"
            assert (await box.send("442", smsc="two"))[1] == "0: Accepted for delivery"
            assert (await box.send("443", smsc="nobody"))[1] == "Not routable. Do not try again."
            await until(lambda: (one.numbers, two.numbers) == ([b"441"], [b"442"]))


@jumping
async def test_with_no_link_a_message_is_queued_and_goes_when_there_is_one(tmp_path: Path) -> None:
    async with Upstream() as one:
        one.leave()
        async with boxed(tmp_path, smsc("one", one.port)) as box:
            assert await box.send("441") == (202, "3: Queued for later delivery")
            await one.listen()
            await until(lambda: one.numbers == [b"441"])


@jumping
async def test_a_message_from_a_mobile_goes_to_its_service_and_the_reply_to_its_smsc(tmp_path: Path) -> None:
    async with Upstream() as one, boxed(tmp_path, smsc("one", one.port), smsbox=SMSBOX + SERVICE) as box:
        await until(lambda: box.app.connectors["one"].up)
        one.deliver(SubmitSm(source_addr=b"447911", destination_addr=b"100", short_message=b"hello"))
        await until(lambda: one.submits)
        [reply] = one.submits
        assert (reply.source_addr, reply.destination_addr, reply.short_message) == (b"100", b"447911", b"thank you")


@jumping
async def test_a_login_of_the_same_name_is_another_account(tmp_path: Path) -> None:
    (tmp_path / "logins").write_text("kannel secret VMA\n")
    box_ = f"""
group = opensmppbox
our-system-id = gateway
opensmppbox-port = 0
smpp-logins = {tmp_path}/logins
"""
    async with Upstream() as one, boxed(tmp_path, smsc("one", one.port), smsbox=SMSBOX + box_) as box:
        [user] = box.face.kannel.sendsms_users
        assert box.face.account(user).name == "kannel@sendsms"
        assert (await box.send("441"))[0] == 202


@jumping
async def test_a_reload_changes_users_and_keeps_links(tmp_path: Path) -> None:
    async with Upstream() as one, boxed(tmp_path, smsc("one", one.port)) as box:
        await until(lambda: box.app.connectors["one"].up)
        conf = tmp_path / "kannel.conf"
        conf.write_text(conf.read_text().replace("password = kannel", "password = other"))
        box.app.reload()
        await until(lambda: isinstance(box.face.kannel.sendsms_users[0], SendsmsUser))
        assert await box.send("441") == (403, "Authorization failed for sendsms")
        assert one.connections == 1


@jumping
async def test_reports_for_a_user_that_a_reload_brings_back_go_out(tmp_path: Path) -> None:
    async with Upstream() as one, boxed(tmp_path, smsc("one", one.port)) as box:
        returns = box.app.pipeline.returns
        outbox = returns.accounts.owner("again").outbox
        returns.notify(returns.accounts.owner("again"), 1, VERSION + b"http://127.0.0.1:9/")
        await until(lambda: len(outbox.waiting) == 1)
        conf = tmp_path / "kannel.conf"
        conf.write_text(conf.read_text().replace("username = kannel", "username = again"))
        box.app.reload()
        await until(lambda: not outbox.waiting)
        assert len(outbox) == 1


@jumping
async def test_a_bad_file_changes_nothing(tmp_path: Path) -> None:
    async with Upstream() as one, boxed(tmp_path, smsc("one", one.port)) as box:
        (tmp_path / "kannel.conf").write_text("group = nonsense\n")
        box.app.reload()
        await until(lambda: box.app.connectors["one"].up)
        assert (await box.send("441"))[0] == 202


@jumping
async def test_black_lists_are_read_again_when_asked(tmp_path: Path) -> None:
    (tmp_path / "black").write_text("442\n")
    core = CORE + f"black-list-receiver = file://{tmp_path}/black\n"
    async with Upstream() as one, boxed(tmp_path, smsc("one", one.port), core) as box:
        await until(lambda: box.app.connectors["one"].up)
        assert (await box.send("442"))[0] == 403
        (tmp_path / "black").write_text("443\n")
        assert await box.command("/reload-lists") == "Black/white lists re-loaded"
        assert [(await box.send(to))[0] for to in ("442", "443")] == [202, 403]
        (tmp_path / "black").unlink()
        assert await box.command("/reload-lists") == "Could not re-load lists"
        assert (await box.send("443"))[0] == 403


@jumping
async def test_a_list_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    conf = tmp_path / "kannel.conf"
    conf.write_text(f"group = core\nadmin-password = x\nblack-list = file://{tmp_path}/nowhere\n")
    setup = read([conf], tmp_path / "data")
    made = setup.made(setup.kannel.smscs)
    assert await App(made.settings, conf, setup, made).run() == 1


@jumping
async def test_wrong_passwords_wait_and_nobody_else_does(tmp_path: Path) -> None:
    async with boxed(tmp_path, "") as box:
        assert (await ask(box.admin, "/suspend", password="wrong"))[1] == "Denied"
        guess = asyncio.ensure_future(ask(box.admin, "/suspend", password="wrong"))
        await advance(0.5)
        assert not guess.done()
        assert (await ask(box.admin, "/health"))[0] == 200
        await advance(0.6)
        assert (await guess)[1] == "Denied"


@jumping
async def test_the_admin_port_has_metrics_and_a_status_for_programs(tmp_path: Path) -> None:
    async with boxed(tmp_path, "") as box:
        assert "smppgw_" in await box.command("/metrics")
        assert json.loads(await box.command("/status.json"))["state"] == "running"


@jumping
async def test_what_kannels_access_log_says_is_written(tmp_path: Path) -> None:
    core = CORE + f"access-log = {tmp_path}/access.log\n"
    async with Upstream() as one, boxed(tmp_path, smsc("one", one.port), core) as box:
        await until(lambda: box.app.connectors["one"].up)
        await box.send("441")
        await until(lambda: one.submits)
        one.accept(b"1")
        await until(lambda: not box.app.pipeline.queued)
    assert "Sent SMS [SMSC:one] [SVC:kannel]" in (tmp_path / "access.log").read_text()
