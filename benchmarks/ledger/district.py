"""A district's attendance of three years, made up: the same rows for PostgreSQL and for DuckDB.

Residents go mostly to one place near home and to two of its programmes, and sometimes anywhere; a session has about
twenty of them. So a person comes back to the same page of the ledger, as people do.
"""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import psycopg
from numpy.typing import NDArray

from facilities.infra.db import Model
from facilities.places.models import FacilityKind
from facilities.programmes.models import ProviderType

FIRST_DAY, MONTHS = date(2024, 1, 1), 36
FACILITIES, PROGRAMMES, AT_A_PLACE = 40, 16, 5
PEOPLE_A_SESSION, AT_HOME = 20, 0.85
SUB_DISTRICTS = ("500104001", "500104002", "500104003", "500104004", "500104005", "500104101", "500104102", "500104103")
COMMUNITIES = 16
EPOCH = date(1970, 1, 1)
Ints = NDArray[np.int64]


def sub_district(facility: int) -> str:
    return SUB_DISTRICTS[facility % len(SUB_DISTRICTS)]


def facility_kind(facility: int) -> str:
    return list(FacilityKind)[facility % 3].value


def community(facility: int) -> int:
    return facility % COMMUNITIES + 1


def provider_type(programme: int) -> str:
    return list(ProviderType)[programme % len(ProviderType)].value


def is_voluntary(programme: int) -> bool:
    return programme % 3 == 0


@dataclass
class District:
    born: Ints  # days since 1970, by resident number from 1
    female: Ints
    disability: Ints  # 0: none; else category * 10 + grade
    facility: Ints  # by session number from 1
    programme: Ints
    starts: Ints  # minutes since 1970
    session: Ints  # by attendance
    resident: Ints


def made_up(rows: int, residents: int, seed: int = 1) -> District:
    chance = np.random.default_rng(seed)
    ages = _ages(chance, residents)
    born = (FIRST_DAY - EPOCH).days - ages * 365 - chance.integers(0, 365, residents)
    female = (chance.random(residents) < 0.6).astype(np.int64)
    disability = np.where(chance.random(residents) < 0.04,
                          chance.integers(1, 8, residents) * 10 + chance.integers(1, 5, residents), 0)
    home = chance.integers(0, FACILITIES, residents)

    sessions = rows // PEOPLE_A_SESSION
    facility = chance.integers(0, FACILITIES, sessions)
    programme = (facility * 3 + chance.integers(0, AT_A_PLACE, sessions)) % PROGRAMMES
    end = FIRST_DAY.replace(year=FIRST_DAY.year + MONTHS // 12)
    day = (FIRST_DAY - EPOCH).days + chance.integers(0, (end - FIRST_DAY).days, sessions)
    starts = np.sort(day * 1440 + chance.integers(1, 12, sessions) * 60)  # 09:00 to 19:00 in the district

    by_home = [np.flatnonzero(home == place) for place in range(FACILITIES)]
    sizes = np.array([len(people) for people in by_home])
    people = np.concatenate(by_home)
    offset = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    session = np.repeat(np.arange(sessions), PEOPLE_A_SESSION + 1)
    place = facility[session]
    near = people[offset[place] + chance.integers(0, 1 << 30, len(session)) % sizes[place]]
    resident = np.where(chance.random(len(session)) < AT_HOME, near, chance.integers(0, residents, len(session)))
    pairs = session * (1 << 24) + resident
    pairs.sort()
    pairs = pairs[np.flatnonzero(np.diff(pairs, prepend=-1))][:rows]
    return District(born, female, disability, facility + 1, programme + 1, starts, (pairs >> 24) + 1,
                    (pairs & ((1 << 24) - 1)) + 1)


def _ages(chance: np.random.Generator, number: int) -> Ints:
    group = chance.random(number)
    return np.where(group < 0.3, chance.integers(0, 18, number),
                    np.where(group < 0.65, chance.integers(18, 60, number), chance.integers(60, 95, number)))


def load(address: str, district: District) -> None:
    """By COPY, with neither keys nor triggers looked at: the rows are right as they are made."""
    url = address.replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET synchronous_commit = off")
        _copy(connection, "residents", "id name sex birth_date disability_category disability_grade created_at", (
            f"{n}\t某人\t{'female' if f else 'male'}\t{EPOCH + timedelta(days=int(b))}\t"
            f"{d // 10 or chr(92) + 'N'}\t{d % 10 or chr(92) + 'N'}\t2024-01-01\n"
            for n, f, b, d in zip(range(1, len(district.born) + 1), district.female.tolist(), district.born.tolist(),
                                  district.disability.tolist(), strict=True)))
        _copy(connection, "communities", "id name sub_district_code", (
            f"{n}\t社区{n}\t{sub_district(n - 1)}\n" for n in range(1, COMMUNITIES + 1)))
        _copy(connection, "facilities", "id kind name address sub_district_code community_id", (
            f"{n}\t{facility_kind(n)}\t站点{n}\t某路{n}号\t{sub_district(n)}\t{community(n)}\n"
            for n in range(1, FACILITIES + 1)))
        _copy(connection, "programmes", "id name facility_kind provider_type volunteer", (
            f"{n}\t项目{n}\tyuhao_space\t{provider_type(n)}\t{is_voluntary(n)}\n"
            for n in range(1, PROGRAMMES + 1)))
        _copy(connection, "activity_sessions",
              "id programme_id facility_id title starts_at ends_at capacity places_taken status", (
                  f"{n}\t{p}\t{f}\t活动\t{_instant(s)}\t{_instant(s + 90)}\t30\t20\theld\n"
                  for n, p, f, s in zip(range(1, len(district.starts) + 1), district.programme.tolist(),
                                        district.facility.tolist(), district.starts.tolist(), strict=True)))
        nobody = "00000000-0000-0000-0000-000000000000"
        _copy(connection, "attendances", "session_id resident_id state event_id", (
            f"{s}\t{r}\tpresent\t{nobody}\n"
            for s, r in zip(district.session.tolist(), district.resident.tolist(), strict=True)))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def _instant(minutes: int) -> str:
    day, rest = divmod(minutes, 1440)
    return f"{EPOCH + timedelta(days=day)} {rest // 60:02}:{rest % 60:02}:00+00"


def _copy(connection: "psycopg.Connection[object]", table: str, columns: str, lines: Iterable[str]) -> None:
    named = ", ".join(columns.split())
    assert table in Model.metadata.tables
    with connection.cursor().copy(f"COPY {table} ({named}) FROM STDIN".encode()) as copy:
        buffer = io.StringIO()
        for line in lines:
            buffer.write(line)
            if buffer.tell() > 1 << 20:
                copy.write(buffer.getvalue())
                buffer = io.StringIO()
        copy.write(buffer.getvalue())
