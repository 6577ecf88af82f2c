"""Names, numbers and illnesses that nobody has, planted wherever the app keeps such things, and a search for them."""

import base64
import io
import json
import random
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from urllib.parse import quote, quote_plus

from sqlalchemy import text
from werkzeug.test import TestResponse

from facilities.draws import services as draws
from facilities.engine.draws import WeightRule
from facilities.engine.eligibility import Sex
from facilities.engine.roll_call import EventKind
from facilities.households import services as households
from facilities.households.models import Identity, Resident
from facilities.infra.db import db, unit_of_work
from facilities.infra.encryption import cipher
from facilities.kernel import clock
from facilities.places.models import Facility
from tests.conftest import NOW
from tests.stores import SqliteStore, Store
from tests.world import Someone, World, _hash

EACH = 50
SURNAMES, GIVEN = "欧司尉呼东端百夹谷微", "垚犇骉羴猋麤龘靐鱻雥"
ILLNESSES = ("癫痫", "肌萎缩", "精神分裂", "系统性红斑狼疮", "帕金森")


@dataclass
class Planted:
    """What was planted, of each kind; and the people in whose name it was."""

    names: list[str] = field(default_factory=list)
    phones: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    illnesses: list[str] = field(default_factory=list)
    people: list[Someone] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def all(self) -> list[str]:
        return [*self.names, *self.phones, *self.numbers, *self.illnesses]

    def in_(self, said: str | bytes, but: Iterable[str] = ()) -> list[str]:
        """Which of it stands there, in any of the forms that texts take on their way."""
        here = said if isinstance(said, bytes) else said.encode("utf-8", "surrogatepass")
        skipped = set(but)
        return [word for word in self.all if word not in skipped and any(form in here for form in _forms(word))]


def _forms(word: str) -> set[bytes]:
    texts = {word, quote(word), quote_plus(word), json.dumps(word)[1:-1], ascii(word)[1:-1]}
    return {form.encode() for form in texts} | {word.encode("utf-16-le"), base64.b64encode(word.encode())}


def whole(answer: TestResponse) -> str:
    """All that was sent: headers, the cookie's content as anyone can read it, the body, what is packed in a file."""
    parts = [f"{name}: {value}" for name, value in answer.headers.items()]
    parts += [cookie_content(value) for name, value in answer.headers.items() if name == "Set-Cookie"]
    if answer.data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(answer.data)) as packed:
            parts += [packed.read(name).decode("utf-8", "replace") for name in packed.namelist()]
    else:
        parts.append(answer.get_data(as_text=True))
    return "\n".join(parts)


def cookie_content(cookie: str) -> str:
    """The session is signed, not encrypted: `session=payload.time.signature`, the payload packed where it is long."""
    value = cookie.partition("=")[2].partition(";")[0]
    packed = value.startswith(".")
    payload = value.lstrip(".").partition(".")[0]
    raw = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    return (zlib.decompress(raw) if packed else raw).decode("utf-8", "replace")


def copy_of(store: Store) -> bytes:
    """What somebody holds who has a plain copy of the database."""
    db.session.rollback()
    if isinstance(store, SqliteStore):
        files = [store.path, store.path.with_name(store.path.name + "-wal")]
        return b"".join(path.read_bytes() for path in files if path.exists())
    tables = (f'SELECT t::text AS row FROM "{table.name}" t' for table in db.metadata.sorted_tables)
    rows = db.session.execute(text(" UNION ALL ".join(tables))).scalars().all()
    db.session.rollback()
    return "\n".join(rows).encode()


def plant(world: World, manager: Someone, facility_id: int) -> Planted:
    """200 of it: accounts, people at the counter, reservations, exceptions, tickets, encrypted numbers."""
    rng, planted = random.Random(11), Planted()
    pairs = rng.sample([(s, a + b) for s in SURNAMES for a in GIVEN for b in GIVEN if a != b], EACH)
    planted.names = [surname + given for surname, given in pairs]
    planted.phones = [f"137{n:08}" for n in rng.sample(range(10**7, 10**8), EACH)]
    planted.numbers = [f"50010419{n:010}" for n in rng.sample(range(10**9, 10**10), EACH)]
    planted.illnesses = [f"{ILLNESSES[n % 5]}第{rng.randrange(10**6, 10**7)}型" for n in range(EACH)]
    facility = next(f for f in _facilities() if f.id == facility_id)
    session = world.session(facility, world.programme(), capacity=EACH * 2, starts_in=timedelta(minutes=30))
    space, drawn = world.space(facility), world.session(facility, starts_in=timedelta(days=9), capacity=9)
    closes = NOW + timedelta(days=1)
    draw = unit_of_work(lambda: draws.open_draw(manager.actor, [drawn.id], "书法", closes, WeightRule()))
    for n, (name, phone) in enumerate(zip(planted.names, planted.phones, strict=True)):
        if n % 2:  # at the counter, with an exception and the reason for it
            person = {"name": name, "phone": phone, "sex": "male", "birth_date": "1950-01-31"}
            body = {"resident": person, "override": planted.illnesses[n]}
            manager.api.post(f"/sessions/{session.id}/desk-bookings", body)
            continue
        someone = _registered(world, phone, name)
        planted.people.append(someone)
        booking = world.book(someone, session)
        day = NOW + timedelta(days=n + 1)
        wish = {"space_id": str(space.id), "resident_id": str(someone.resident_id), "purpose": planted.illnesses[n]}
        wish |= {"starts_at": day.isoformat(), "ends_at": (day + timedelta(hours=1)).isoformat()}
        reservation = someone.api.post("/reservations", wish)["id"]
        entry = unit_of_work(lambda who=someone: draws.enter(who.actor, draw.id, [who.resident_id]))  # type: ignore[misc]
        world.record(manager, session, EventKind.PRESENT, someone.resident_id)
        planted.ids |= {"booking": str(booking.id), "reservation": reservation, "entry": str(entry.id)}
        planted.ids |= {"resident": str(someone.resident_id)}
    unit_of_work(lambda: _add_numbers(planted.numbers))
    with clock.frozen(NOW + timedelta(days=2)):
        unit_of_work(lambda: draws.hold(draw.id, manager.actor))
    planted.ids |= {"session": str(session.id), "space": str(space.id), "draw": str(draw.id)}
    planted.ids |= {"facility": str(facility_id), "user": str(manager.user.id)}
    return planted


def _facilities() -> list[Facility]:
    return list(db.session.scalars(db.select(Facility)))


def _registered(world: World, phone: str, name: str) -> Someone:
    user = unit_of_work(lambda: households.register(phone, _hash(), name, date(1988, 4, 12), Sex.FEMALE))
    someone = world._someone(user)
    someone.resident_id = int(someone.api.get("/me")["residents"][0]["id"])
    return someone


def _add_numbers(numbers: list[str]) -> None:
    residents = db.session.scalars(db.select(Resident.id).order_by(Resident.id.desc()).limit(len(numbers)))
    for number, resident_id in zip(numbers, residents, strict=True):
        sealed = Identity(
            resident_id=resident_id, id_number=cipher().encrypt(number), id_number_hash=cipher().lookup(number)
        )
        db.session.add(sealed)
