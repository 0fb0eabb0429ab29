"""E-mail by a real SMTP exchange, and hooks and mail through the running worker."""

import asyncio
import email
import email.policy
import ipaddress
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest
from sqlmodel import select
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from lib.access import Actor
from lib.alerts import channels, mail, mail_settings
from lib.alerts.channels import ChannelDraft
from lib.alerts.mail import Mail, MailError, MailServer, send_mail
from lib.alerts.mail_settings import MailDraft
from lib.alerts.wording import SMS_CHARACTERS, as_hook, as_html, as_sms, as_text, compose
from lib.clock import now
from lib.courier.sender import CourierSender
from lib.errors import InvalidInput, NotAllowed
from lib.hub import Hub
from lib.models import Alert, AlertMessage, DestinationState, HubSetting
from lib.settings import decode_master_keys
from lib.vault.keys import create_key_file, read_key_file
from lib.vault.rotation import count_outdated, reseal
from lib.vault.seals import Vault
from lib.worker.loop import Worker
from tests.certificates import Authority
from tests.delivering import ScriptedSender
from tests.event_factories import make_event, make_integration
from tests.factories import make_user
from tests.fakes.server import running
from tests.fakes.smtp import Mailbox, smtp_server
from tests.outgoing_factories import URL, make_delivery, make_destination

PASSWORD = "s3cr3t-mail-words"
_LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
LETTER = Mail("ada@example.com", "Something is wrong", "Plain words", "<p>HTML words</p>")


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """The one authority that clients of this test trust."""
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.path))
    return made


@pytest.fixture
def box(authority: Authority) -> Iterator[Mailbox]:
    with smtp_server(
        Mailbox(user="hub", password=PASSWORD, tls=authority.server_context("127.0.0.1"))
    ) as running_box:
        yield running_box


def _server(box: Mailbox, **changes: str) -> MailServer:
    given = {"security": "starttls", "user": "hub", "password": PASSWORD, **changes}
    return MailServer("127.0.0.1", box.port, sender="hub@example.com", **given)  # type: ignore[arg-type]


def test_a_mail_is_handed_in_encrypted_with_both_texts(box: Mailbox) -> None:
    send_mail(_server(box), LETTER)
    assert box.were_encrypted == [True]
    assert box.recipients == ["ada@example.com"]
    read = email.message_from_bytes(box.mails[0], policy=email.policy.default)
    assert read["Subject"] == "Something is wrong"
    parts = [part.get_content().strip() for part in read.iter_parts()]
    assert parts == ["Plain words", "<p>HTML words</p>"]


def test_a_line_break_adds_no_header(box: Mailbox) -> None:
    send_mail(_server(box), Mail("ada@example.com", "Hi\r\nBcc: eve@example.com", "a", "b"))
    read = email.message_from_bytes(box.mails[0], policy=email.policy.default)
    assert read["Bcc"] is None
    assert read["Subject"] == "Hi Bcc: eve@example.com"
    assert box.recipients == ["ada@example.com"]


def test_a_wrong_password_is_a_sentence_without_it(box: Mailbox) -> None:
    with pytest.raises(MailError, match="refused the user name") as caught:
        send_mail(_server(box, password="other-s3cr3t"), LETTER)
    assert "other-s3cr3t" not in repr(caught.value) + repr(caught.value.__cause__)
    assert "s3cr3t" not in repr(_server(box))


def test_an_untrusted_certificate_gets_nothing(
    box: Mailbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    monkeypatch.setenv("SSL_CERT_FILE", str(Authority(tmp_path / "other").path))
    with pytest.raises(MailError, match="certificate is not trusted"):
        send_mail(_server(box), LETTER)
    assert box.mails == []


def test_a_server_without_starttls_gets_no_password() -> None:
    with smtp_server(Mailbox(user="hub", password=PASSWORD)) as plain:
        with pytest.raises(MailError, match="does not offer"):
            send_mail(_server(plain), LETTER)
        assert plain.mails == []


def test_a_refused_recipient_is_final(box: Mailbox) -> None:
    box.recipient_code = 550
    with pytest.raises(MailError, match="code 550") as caught:
        send_mail(_server(box), LETTER)
    assert caught.value.permanent


def test_a_hung_server_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "TIMEOUT_SECONDS", 0.2)
    with (
        smtp_server(Mailbox(hangs=True)) as hung,
        pytest.raises(MailError, match="did not answer in time"),
    ):
        send_mail(_server(hung, security="none", user=""), LETTER)


def _draft(port: int = 587, **changes: str) -> MailDraft:
    given = {"user": "hub", "password": PASSWORD, "sender": "hub@example.com", **changes}
    host = given.pop("host", "127.0.0.1")
    return MailDraft(host, port, given.pop("security", "starttls"), **given)


def test_the_password_is_sealed_kept_and_never_given_to_another_server(hub: Hub) -> None:
    staff = make_user(hub, "sam@example.com", "staff")
    mail_settings.set_mail_settings(hub, staff, _draft())
    mail_settings.set_mail_settings(hub, staff, _draft(password="", sender="b@example.com"))
    with pytest.raises(InvalidInput, match="Enter the password"):
        mail_settings.set_mail_settings(hub, staff, _draft(password="", host="mail.evil.example"))
    with hub.database.read() as session:
        assert PASSWORD not in repr(session.exec(select(HubSetting)).all())
        server = mail_settings.open_mail_server(session, hub.vault)
    assert (server.password, server.sender) == (PASSWORD, "b@example.com")
    shown = mail_settings.get_mail_settings(hub, staff)
    assert shown
    assert shown.has_password
    assert PASSWORD not in repr(shown)
    assert reseal(hub).unreadable == ()
    with pytest.raises(NotAllowed):
        mail_settings.get_mail_settings(hub, make_user(hub))


@pytest.mark.parametrize("role", ["member", "analyst"])
def test_the_mail_server_is_for_staff_alone(hub: Hub, role: str) -> None:
    staff = make_user(hub, "sam@example.com", "staff")
    other = make_user(hub, "eve@example.com", role)
    mail_settings.set_mail_settings(hub, staff, _draft())
    calls: list[Callable[[], object]] = [
        lambda: mail_settings.get_mail_settings(hub, other),
        lambda: mail_settings.set_mail_settings(hub, other, _draft(host="mail.evil.example")),
        lambda: mail_settings.remove_mail_settings(hub, other),
        lambda: mail_settings.send_test_mail(hub, other),
    ]
    for call in calls:
        with pytest.raises(NotAllowed):
            call()
    shown = mail_settings.get_mail_settings(hub, staff)
    assert shown
    assert shown.host == "127.0.0.1"


def test_a_rotation_counts_and_renews_the_password(hub: Hub, tmp_path: Path) -> None:
    staff = make_user(hub, "sam@example.com", "staff")
    mail_settings.set_mail_settings(hub, staff, _draft())
    path = tmp_path / "other.keys"
    create_key_file(path)
    first = hub.settings.master_keys
    assert first is not None
    old = decode_master_keys(first.get_secret_value())
    rotated = Hub(hub.settings, hub.database, Vault([*read_key_file(path), *old]))
    assert (count_outdated(hub), count_outdated(rotated)) == (0, 1)
    assert reseal(rotated).resealed == 1
    assert count_outdated(rotated) == 0
    with hub.database.read() as session:
        assert mail_settings.open_mail_server(session, rotated.vault).password == PASSWORD


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"host": "a b"}, "host"),
        ({"security": "ssl3"}, "security"),
        ({"security": "none"}, "security"),
        ({"sender": "x\r\nBcc: y@example.com"}, "sender"),
    ],
)
def test_a_bad_setting_names_its_field(hub: Hub, changes: dict[str, str], field: str) -> None:
    staff = make_user(hub, "sam@example.com", "staff")
    with pytest.raises(InvalidInput) as caught:
        mail_settings.set_mail_settings(hub, staff, _draft(**changes))
    assert caught.value.field == field


def _alert(title: str) -> Alert:
    moment = now()
    return Alert(
        id="alr_1",
        user_id="usr_1",
        kind="check_failed",
        object_id="int_1",
        state="open",
        title=title,
        message="<b>Why</b> & how",
        path="integrations?open=int_1",
        count=1,
        first_seen_at=moment,
        last_seen_at=moment,
    )


def test_what_is_said_links_to_the_screen_and_is_escaped() -> None:
    news = compose([_alert("A|<!channel>\nB")] * 25, "https://hub.example.com")
    link = "https://hub.example.com/integrations?open=int_1"
    assert link in as_text(news)
    assert "<!channel>" not in as_html(news) + orjson.dumps(as_hook(news)).decode()
    assert "And 5 more." in as_text(news)
    assert len(as_sms(news)) <= SMS_CHARACTERS
    assert as_sms(news).endswith("https://hub.example.com/alerts")


def _open_breaker(hub: Hub, owner: Actor) -> None:
    place = make_destination(hub, owner, "Broken")
    with hub.database.write() as session:
        state = session.get(DestinationState, place.id)
        assert state
        state.breaker = "open"


async def _work_until(worker: Worker, is_done: Callable[[], bool]) -> None:
    task = asyncio.create_task(worker.run())
    deadline = time.monotonic() + 20
    while not is_done():
        assert time.monotonic() < deadline, "the worker did not come to it"
        assert not task.done()
        await asyncio.sleep(0.05)
    # What is on its way is settled in the same moment.
    await asyncio.sleep(0.3)
    worker.stop()
    await task


def test_the_running_worker_tells_by_mail_and_hook(
    hub: Hub, box: Mailbox, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[bytes] = []

    async def take(request: Request) -> PlainTextResponse:
        told.append(await request.body())
        return PlainTextResponse("ok")

    staff = make_user(hub, "sam@example.com", "staff")
    settings = hub.settings.model_copy(update={"allowed_private_networks": _LOOPBACK})
    opened = Hub(settings, hub.database, hub.vault)
    mail_settings.set_mail_settings(opened, staff, _draft(box.port))
    with running(Starlette(routes=[Route("/s3cr3t-hook", take, methods=["POST"])])) as address:
        draft = ChannelDraft("slack", "Team", url=f"{address}/s3cr3t-hook")
        channels.add(opened, staff, draft)
        channels.add(opened, staff, ChannelDraft("email", "Mail", address="sam@example.com"))
        _open_breaker(opened, staff)

        async def work() -> None:
            async with CourierSender(settings, 5) as sender:
                await _work_until(Worker(opened, sender), lambda: bool(told and box.mails))

        asyncio.run(work())
    assert b"Broken keeps failing" in told[0]
    assert b"http://localhost:8501/webhooks?open=" in told[0]
    assert (len(told), len(box.mails)) == (1, 1)
    with hub.database.read() as session:
        rows = session.exec(select(AlertMessage)).all()
    assert {each.status for each in rows} == {"sent"}
    captured = capsys.readouterr()
    assert "s3cr3t" not in captured.out + captured.err


def test_a_hung_mail_server_delays_no_delivery(
    sqlite_hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "TIMEOUT_SECONDS", 3)
    staff = make_user(sqlite_hub, "sam@example.com", "staff")
    with smtp_server(Mailbox(hangs=True)) as hung:
        draft = _draft(hung.port, security="none", user="", password="")
        mail_settings.set_mail_settings(sqlite_hub, staff, draft)
        channels.add(sqlite_hub, staff, ChannelDraft("email", "Mail", address="sam@example.com"))
        _open_breaker(sqlite_hub, staff)
        sender = ScriptedSender()
        event_id = make_event(sqlite_hub, make_integration(sqlite_hub, staff))

        def is_leased() -> bool:
            with sqlite_hub.database.read() as session:
                rows = session.exec(select(AlertMessage)).all()
            return any(each.lease_until for each in rows)

        async def work() -> None:
            worker = Worker(sqlite_hub, sender)
            task = asyncio.create_task(worker.run())
            while not is_leased():  # noqa: ASYNC110 - it is a row in the database
                await asyncio.sleep(0.05)
            begun = time.monotonic()
            make_delivery(sqlite_hub, event_id, make_destination(sqlite_hub, staff))
            while not sender.count(URL):
                assert time.monotonic() - begun < 2
                await asyncio.sleep(0.02)
            assert is_leased()
            worker.stop()
            await task

        asyncio.run(work())
