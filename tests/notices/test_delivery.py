"""Messages on their way out: at least once, under one reference, and only what is still true."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, time, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest
from flask import Flask
from sqlalchemy import select

from config import Sms
from facilities.accounts import codes
from facilities.accounts.models import CodePurpose
from facilities.engine.deliveries import GAPS, LEASE
from facilities.engine.messages import Channel
from facilities.infra.db import db, unit_of_work
from facilities.kernel import clock
from facilities.notices import delivery
from facilities.notices.channels.folder import Folder
from facilities.notices.channels.message import Message, Outcome, Undelivered
from facilities.notices.channels.sms import SmsGateway
from facilities.notices.delivery import dispatch, note_receipt, send_again, take
from facilities.notices.models import Delivery
from facilities.notices.rendering import Outgoing
from tests.notices.ways import Kept, out
from tests.world import World


def states() -> Counter[str]:
    db.session.rollback()
    return Counter(state.value for state in db.session.scalars(select(Delivery.state)))


def test_who_booked_is_told_in_plain_words(world: World) -> None:
    someone, session = world.resident(), world.session(title="太极")
    booking = someone.ask(session)["items"][0]
    channel = Kept()
    assert out(channel) == (1, 0)
    (message,) = channel.sent
    assert (message.recipient, message.channel, message.template) == (someone.user.login, "sms", "booked")
    assert message.about == {"kind": "booking", "id": booking["id"]}
    assert "太极" in message.text
    assert out(channel) == (0, 0)


def test_what_is_no_longer_true_is_not_sent(world: World) -> None:
    someone, session = world.resident(), world.session()
    someone.cancel(someone.ask(session)["items"][0]["id"])
    channel = Kept()
    out(channel)
    assert channel.sent == []
    assert states() == {"dropped": 1}


def test_of_a_session_that_moved_only_the_new_time_is_told(world: World, now: datetime) -> None:
    someone, session = world.resident(), world.session(starts_at=now + timedelta(days=2))
    someone.ask(session)
    later = clock.local(now + timedelta(days=2, hours=3))
    world.administrator().api.patch(
        f"/sessions/{session.id}",
        {"starts_at": later.isoformat(), "ends_at": (later + timedelta(hours=1)).isoformat()},
    )
    channel = Kept()
    out(channel)
    assert [m.template for m in channel.sent] == ["moved"]


def test_what_is_over_is_not_told_any_more(world: World, now: datetime) -> None:
    someone = world.resident()
    someone.ask(world.session(starts_at=now + timedelta(hours=5)))
    channel = Kept()
    with clock.frozen(now + timedelta(hours=6)):
        out(channel)
    assert channel.sent == []


def test_what_fails_is_tried_again_later_under_the_same_reference(world: World, now: datetime) -> None:
    world.resident().ask(world.session(starts_at=now + timedelta(days=9)))
    channel = Kept(Undelivered("unavailable"), Undelivered("unreachable"))
    references = []
    moment = now
    for gap in (*GAPS[:2], timedelta()):
        with clock.frozen(moment):
            out(channel)
            assert out(channel) == (0, 0)  # not before its time
            references.append(db.session.scalars(select(Delivery.reference)).one())
            db.session.rollback()
        moment += gap
    assert len(set(references)) == 1
    assert [m.reference for m in channel.sent] == references[:1]


def test_what_fails_for_good_or_too_often_is_given_up_and_sent_again_by_hand(world: World, now: datetime) -> None:
    for _ in range(2):
        world.resident().ask(world.session(starts_at=now + timedelta(days=30)))
    channel = Kept(Undelivered("refused", for_good=True), *[Undelivered("unavailable")] * (len(GAPS) + 1))
    moment = now
    while "waiting" in states() or moment == now:
        with clock.frozen(moment):
            out(channel)
        moment = max(db.session.scalars(select(Delivery.due_at)))
    assert states() == {"dead": 2}
    assert moment - now > sum(GAPS[:-1], timedelta())
    with clock.frozen(moment):
        numbers = list(db.session.scalars(select(Delivery.id).order_by(Delivery.id)))
        assert sorted(unit_of_work(lambda: send_again(numbers))) == numbers
        assert unit_of_work(lambda: send_again(numbers)) == []
        assert out(channel) == (2, 0)


def test_what_a_dead_worker_had_taken_is_sent_by_the_next(world: World, now: datetime) -> None:
    world.resident().ask(world.session(starts_at=now + timedelta(days=3)))
    unit_of_work(lambda: dispatch((Channel.SMS,)))
    (taken,) = unit_of_work(lambda: take(Channel.SMS)) or []
    channel = Kept()
    assert out(channel) == (0, 0)
    with clock.frozen(now + LEASE):
        assert out(channel) == (1, 0)
    assert taken.message is not None
    assert [m.reference for m in channel.sent] == [taken.message.reference]


def test_several_workers_at_once_send_each_message_once(app: Flask, world: World) -> None:
    session = world.session(capacity=40)
    for _ in range(24):
        world.resident().ask(session)
    channel = Kept()

    def work(_: int) -> tuple[int, int]:
        with app.app_context():
            return out(channel)

    with ThreadPoolExecutor(4) as pool:
        assert sum(done for done, _ in pool.map(work, range(4))) == 24
    assert len({m.reference for m in channel.sent}) == len(channel.sent) == 24


def test_without_a_channel_nothing_waits(world: World) -> None:
    world.resident().ask(world.session())
    assert unit_of_work(lambda: dispatch(())) == 1
    assert states() == {}


def test_a_folder_gets_one_whole_file_for_each_message(tmp_path: Path) -> None:
    message = Message("13900000001", "sms", "booked", "好的", "0190-a", {"kind": "booking", "id": "7"})
    folder = Folder(tmp_path / "notices")
    for _ in range(2):
        folder.send(message)
    (file,) = (tmp_path / "notices").iterdir()
    assert json.loads(file.read_text(encoding="utf-8")) == {
        "recipient": "13900000001",
        "channel": "sms",
        "template": "booked",
        "text": "好的",
        "reference": "0190-a",
        "about": {"kind": "booking", "id": "7"},
    }


def test_a_folder_that_cannot_be_written_is_a_failure_and_no_crash(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Undelivered, match="folder"):
        Folder(tmp_path / "file").send(Message("1", "sms", "booked", "…", "r", {}))


def test_what_a_provider_accepts_is_sent_again_until_its_receipt_comes(world: World, now: datetime) -> None:
    world.resident().ask(world.session(starts_at=now + timedelta(days=9)))
    channel = Kept(outcome=Outcome.ACCEPTED)
    for later in (0, 14, 16):  # minutes
        with clock.frozen(now + timedelta(minutes=later)):
            out(channel)
    assert len({m.reference for m in channel.sent}) == 1
    assert len(channel.sent) == 2, "the first was lost on the way, for all that we know"
    reference = channel.sent[0].reference
    for _ in range(3):
        unit_of_work(lambda: note_receipt(reference, delivered=True))
        assert states() == {"sent": 1}
    unit_of_work(lambda: note_receipt(reference, delivered=False, for_good=True))
    assert states() == {"sent": 1}, "what has arrived has arrived"
    with clock.frozen(now + timedelta(hours=3)):
        assert out(channel) == (0, 0)


def test_what_never_gets_a_receipt_is_given_up_and_one_that_comes_late_still_counts(
    world: World, now: datetime
) -> None:
    world.resident().ask(world.session(starts_at=now + timedelta(days=9)))
    channel = Kept(outcome=Outcome.ACCEPTED)
    moment = now
    while "dead" not in states():
        with clock.frozen(moment):
            out(channel)
        moment = max(db.session.scalars(select(Delivery.due_at)))
    assert len(channel.sent) == len(GAPS) + 1
    assert db.session.scalars(select(Delivery.failure)).all() == ["no_receipt"]
    unit_of_work(lambda: note_receipt(channel.sent[0].reference, delivered=True))
    assert states() == {"sent": 1}


@pytest.mark.parametrize(("for_good", "state"), [(True, "dead"), (False, "waiting")])
def test_a_receipt_that_it_did_not_arrive_is_a_failure(world: World, for_good: bool, state: str) -> None:
    world.resident().ask(world.session())
    channel = Kept(outcome=Outcome.ACCEPTED)
    out(channel)
    for _ in range(2):
        unit_of_work(lambda: note_receipt(channel.sent[0].reference, delivered=False, for_good=for_good))
        assert states() == {state: 1}


def test_what_is_cancelled_while_others_are_sent_is_not_sent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow provider: of a batch that was taken together, the last ones wait, and are asked about again."""
    someone, session = world.resident(), world.session()
    others = [world.resident() for _ in range(3)]
    for other in others:
        other.ask(session)
    booking = someone.ask(session)["items"][0]["id"]

    class Slow(Kept):
        def send(self, message: Message) -> Outcome:
            if not self.sent:
                with world.app.app_context():
                    someone.cancel(booking)
            return super().send(message)

    channel = Slow()
    monkeypatch.setattr(delivery, "SENDERS", 1)
    out(channel)
    assert {m.recipient for m in channel.sent} == {other.login for other in others}


def test_one_that_cannot_be_written_or_sent_keeps_no_other_from_going(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    people, session = [world.resident() for _ in range(3)], world.session()
    for someone in people:
        someone.ask(session)
    first, second, third = (someone.login for someone in people)
    render = delivery.render

    def stumbles(out: Outgoing) -> Message | None:
        if out.reader.phone == first:
            raise ZeroDivisionError("somebody's name")
        return render(out)

    class Stumbles(Kept):
        def send(self, message: Message) -> Outcome:
            if message.recipient == second:
                raise UnicodeError("somebody's name")
            return super().send(message)

    monkeypatch.setattr(delivery, "render", stumbles)
    channel = Stumbles()
    out(channel)
    assert [m.recipient for m in channel.sent] == [third]
    assert states() == {"dead": 1, "waiting": 1, "sent": 1}
    assert "somebody's name" not in caplog.text


def test_quiet_hours_hold_what_can_wait(world: World, now: datetime) -> None:
    """Ten at night: a place for next week can wait until the morning, the code that somebody asked for cannot."""
    night, morning = clock.at(now.date(), time(22)), clock.at(now.date() + timedelta(days=1), time(8))
    channel, someone = Kept(), world.resident()
    session = world.session(starts_at=now + timedelta(days=7))
    with clock.frozen(night):
        someone.ask(session)
        unit_of_work(lambda: codes.send(someone.login, someone.user, CodePurpose.RESET))
        out(channel)
        assert channel.kinds == ["code"]
    with clock.frozen(morning - timedelta(minutes=1)):
        out(channel)
        assert channel.kinds == ["code"]
    with clock.frozen(morning):
        out(channel)
    assert channel.kinds == ["code", "booked"]


def test_a_code_goes_where_it_was_asked_for_and_nowhere_else(world: World) -> None:
    someone = world.resident()
    unit_of_work(lambda: codes.send(someone.login, someone.user, CodePurpose.EMAIL, "chen@example.org", "email"))
    sms, mail = Kept(), Kept()
    both = (Channel.SMS, Channel.EMAIL)
    out(sms, Channel.SMS, both)
    out(mail, Channel.EMAIL, both)
    assert sms.sent == []
    (letter,) = mail.sent
    assert (letter.recipient, letter.template) == ("chen@example.org", "code")


class Gateway(BaseHTTPRequestHandler):
    """Answers with the status that the message's text asks for."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.got.append((body, self.headers["X-Signature"]))  # type: ignore[attr-defined]
        status = int(body["text"])
        if not status:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def gateway() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    server.got = []  # type: ignore[attr-defined]
    Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "kind", "for_good"),
    [
        (200, None, False),
        (202, None, False),
        (302, "unavailable", False),
        (400, "refused", True),
        (429, "unavailable", False),
        (503, "unavailable", False),
        (0, "unreachable", False),
    ],
)
def test_what_a_provider_answers_decides(
    gateway: ThreadingHTTPServer, status: int, kind: str | None, for_good: bool
) -> None:
    settings = Sms(f"http://127.0.0.1:{gateway.server_port}/send", "key", "惠民大渡口", {"booked": "SMS_17"})
    channel = SmsGateway(settings, httpx.Timeout(2))
    message = Message("13900000001", "sms", "booked", str(status), "reference", {"kind": "booking", "id": "7"})
    if kind is None:
        assert channel.send(message) is (Outcome.ACCEPTED if status == 202 else Outcome.DELIVERED)
    else:
        with pytest.raises(Undelivered) as failure:
            channel.send(message)
        assert (failure.value.kind, failure.value.for_good) == (kind, for_good)
    channel.close()
    ((body, signature), *_) = gateway.got  # type: ignore[attr-defined]
    assert body == {
        "to": "13900000001",
        "template": "SMS_17",
        "parameters": [],
        "text": str(status),
        "signature": "惠民大渡口",
        "parts": 1,
        "reference": "reference",
    }
    assert len(signature) == 64
