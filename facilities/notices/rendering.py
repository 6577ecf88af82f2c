"""A message as it goes out by one way, in its reader's language."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import current_app
from flask_babel import force_locale

from facilities.bookings.models import Booking
from facilities.calendars.entries import of_booking, of_reservation
from facilities.calendars.ical import write
from facilities.engine.messages import ANSWERS, Channel
from facilities.infra.encryption import Unreadable, cipher
from facilities.infra.outbox import Notice
from facilities.kernel import clock
from facilities.notices import wording
from facilities.notices.addresses import page_about
from facilities.notices.channels.message import Message
from facilities.notices.queries import Thing
from facilities.notices.reaching import Reader
from facilities.notices.short import Short, short
from facilities.reservations.models import Reservation
from facilities.web.addresses import whole_address

SEALED = ("code", "to")  # facts that are kept encrypted
_SAYS_WHERE = ("title", "title_en", "facility", "facility_en", "space", "space_en", "programme", "programme_en")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """All that one way out needs to know of a message. `answer`: the code that opens the page where it is answered."""

    notice: Notice
    thing: Thing | None
    reader: Reader
    channel: Channel
    reference: str
    carer_id: int | None = None
    answer: str | None = None
    entry: Booking | Reservation | None = None


def render(out: Outgoing) -> Message | None:
    """None where nobody can be reached, or what is sealed cannot be opened any more."""
    try:
        facts = facts_outside(out.notice, out.thing)
    except Unreadable:
        return None
    recipient = facts.get("to") or _address(out)
    if not recipient:
        return None
    with force_locale(out.reader.language):
        said = short(out.notice.kind, facts, page=answer_page(), answer=out.answer, copy=out.carer_id is not None)
        letter = _letter(out, facts) if out.channel is Channel.EMAIL else None
        return Message(
            recipient=str(recipient), channel=out.channel.value, template=out.notice.kind,
            text=letter.text if letter else said.text, reference=out.reference,
            about={"kind": out.notice.about_kind, "id": str(out.notice.about_id)},
            heading=wording.heading(out.notice.kind), parameters=said.parameters, details=_details(out, said),
            html=letter.html if letter else None, calendar=_calendar(out))


def _calendar(out: Outgoing) -> bytes | None:
    """The newest state of the entry: mail programs replace what they have by it."""
    if out.entry is None:
        return None
    entry = of_booking(out.entry) if isinstance(out.entry, Booking) else of_reservation(out.entry)
    return write([entry], clock.now())


def facts_outside(notice: Notice, thing: Thing | None) -> dict[str, Any]:
    """With the code for the door; without what would say where somebody is treated. Unreadable: a key is missing."""
    facts: dict[str, Any] = {
        name: cipher().decrypt(str(value)) if name in SEALED else value for name, value in notice.facts.items()}
    if thing is not None:
        facts["reference"] = thing.reference
    if thing is not None and thing.discreet:
        facts = {name: value for name, value in facts.items() if name not in _SAYS_WHERE}
        facts["was"] = {name: value for name, value in dict(facts.get("was") or {}).items() if name not in _SAYS_WHERE}
    return facts


def _address(out: Outgoing) -> str | None:
    return out.reader.carers.get(out.carer_id) if out.carer_id is not None else out.reader.address(out.channel)


def answer_page() -> str | None:
    """As people type it: without what every browser adds by itself."""
    page = whole_address("notices.enter_answer")
    return page.partition("://")[2] if page else None


def _details(out: Outgoing, said: Short) -> Mapping[str, str]:
    return {**said.details, "note": wording.heading(out.notice.kind)}


@dataclass(frozen=True, slots=True)
class _Letter:
    text: str
    html: str


def _letter(out: Outgoing, facts: Mapping[str, Any]) -> _Letter:
    kind = out.notice.kind
    page = page_about(kind, out.notice.about_kind)
    address = whole_address(page[0], **{page[1]: out.notice.about_id}) if page else None
    said = {
        "heading": wording.heading(kind), "text": wording.text(kind, facts), "page": address,
        "answers": ANSWERS.get(kind, ()) if out.answer else (), "preferences": whole_address("notices.preferences"),
        "answer_page": whole_address("notices.answer", code=out.answer) if out.answer else None,
        "large": out.reader.large_type, "language": out.reader.language, "answer_words": wording.ANSWERS,
        "reference": facts.get("reference")}
    return _Letter(_filled("mail/notice.txt", said), _filled("mail/notice.html", said))


def _filled(template: str, said: Mapping[str, Any]) -> str:
    """Without what pages are given: a letter is written while nobody asks for one."""
    return str(current_app.jinja_env.get_template(template).render(said))
