"""The words of the inventory: what a column is, whose, why and how long it is kept, and what erasure does with it."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    LINK = "link"  # a number of ours that stands for somebody or for what somebody did
    NAME = "name"
    CONTACT = "contact"
    DETAILS = "details"  # birth date, sex, community
    FAMILY = "family"  # who acts for whom
    IDENTITY = "identity"
    HEALTH = "health"  # sensitive: PIPL art. 28
    BEHAVIOUR = "behaviour"  # what somebody booked, did, agreed to
    WORDS = "words"  # free text, which may say anything
    SECURITY = "security"


class Whose(StrEnum):
    RESIDENT = "resident"
    USER = "user"
    STAFF = "staff"  # what a member of staff did at work


class Erased(StrEnum):
    """What becomes of it when the account is erased."""

    REMOVED = "removed"  # the row is deleted, or the column emptied
    REPLACED = "replaced"  # by something that says nothing of anybody
    COUNTED = "counted"  # kept, because figures count it: without a name it stands for nobody
    KEPT = "kept"  # kept for those whom it concerns as well, or because it can never be changed


class Why(StrEnum):
    ACCOUNT = "account"
    SERVE = "serve"
    FAMILY = "family"
    CONSENT = "consent"
    IDENTITY = "identity"
    BOOK = "book"
    FIGURES = "figures"
    TELL = "tell"
    SAFETY = "safety"
    RECORD = "record"
    IMPROVE = "improve"


class Kept(StrEnum):
    """For how long; `retention` has the periods and carries them out."""

    ACCOUNT = "account"  # until the account is erased
    PERSON = "person"  # until erased; without an account and without a visit, for some years
    COUNTED = "counted"  # what figures count stays for good, without a name from the erasure on
    SIGN_INS = "sign_ins"
    FAILURES = "failures"
    CODES = "codes"
    INVITATIONS = "invitations"
    NOTICES = "notices"
    REMINDERS = "reminders"
    DEVICES = "devices"
    KEYS = "keys"
    FEEDBACK = "feedback"
    NO_SHOWS = "no_shows"
    EXEMPTIONS = "exemptions"
    WORK = "work"  # as long as what it is about
    CHAIN = "chain"  # for good: no entry can be taken out of the chain. Three years at least (PIPL art. 56)


@dataclass(frozen=True, slots=True)
class Column:
    kind: Kind
    whose: Whose
    erased: Erased
    exported: bool


@dataclass(frozen=True, slots=True)
class Table:
    """`columns`: the personal ones; `impersonal`: the others, which are about nobody."""

    why: Why | None
    kept: Kept | None
    columns: dict[str, Column]
    impersonal: frozenset[str]

    @property
    def exported(self) -> list[str]:
        return [name for name, column in self.columns.items() if column.exported]


def about(why: Why, kept: Kept, lines: str, impersonal: str = "") -> Table:
    """One line for each column: name, kind, whose, what erasure does with it, and 'yes' where it can be downloaded."""
    columns: dict[str, Column] = {}
    for line in lines.strip().splitlines():
        name, kind, whose, erased, exported = line.split()
        columns[name] = Column(Kind(kind), Whose(whose), Erased(erased), exported == "yes")
    return Table(why, kept, columns, frozenset(impersonal.split()))


def about_nobody(names: str) -> Table:
    return Table(None, None, {}, frozenset(names.split()))
