"""The one clock: 'now' as UTC, 'today' as the district's date.

Asia/Shanghai has had no daylight saving since 1992 (domain facts, section 9).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

DISTRICT = ZoneInfo("Asia/Shanghai")

_file: Path | None = None
_frozen: datetime | None = None


def now() -> datetime:
    """The present instant, aware, in UTC."""
    if _frozen is not None:
        return _frozen
    if _file is not None:
        return parse_instant(_file.read_text(encoding="utf-8").strip())
    return datetime.now(UTC)


def machine_time() -> datetime:
    """The machine's own present, whatever 'now' was set to: for what goes on while the clock stands still."""
    return datetime.now(UTC)


def today() -> date:
    return local_date(now())


def local(instant: datetime) -> datetime:
    """The same instant on the district's wall clock."""
    return instant.astimezone(DISTRICT)


def local_date(instant: datetime) -> date:
    return local(instant).date()


def at(day: date, wall: time = time(0)) -> datetime:
    """The instant (UTC) at which the district's wall clock shows `wall` on `day`."""
    return datetime.combine(day, wall, DISTRICT).astimezone(UTC)


def day_span(first: date, last: date) -> tuple[datetime, datetime]:
    """Half-open span of instants that covers the local days `first` to `last`, both included."""
    return at(first), at(last + timedelta(days=1))


def parse_instant(text: str) -> datetime:
    """Read an RFC 3339 instant; ValueError where it is malformed or has no offset."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no offset")
    return instant.astimezone(UTC)


def read_from_file(path: Path | None) -> None:
    """Take 'now' from a file at each use (`HUIMIN_CLOCK_FILE`); None goes back to the machine's clock."""
    global _file  # noqa: PLW0603 - one clock for the process is the point
    _file = path


@contextmanager
def frozen(instant: datetime) -> Iterator[None]:
    """Hold the clock still inside the block."""
    global _frozen  # noqa: PLW0603 - one clock for the process is the point
    before, _frozen = _frozen, instant.astimezone(UTC)
    try:
        yield
    finally:
        _frozen = before
