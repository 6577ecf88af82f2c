"""Who acts, as plain facts, so that every floor can ask what an actor may do."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    RESIDENT = "resident"  # everyone who signs in; never granted
    MANAGER = "manager"  # of one facility
    GUARD = "guard"  # at the gate of one facility
    REVIEWER = "reviewer"  # of what residents apply for, in a sub-district or everywhere
    ADMINISTRATOR = "administrator"  # of the district


@dataclass(frozen=True, slots=True)
class Granted:
    """A role and what it is for: a facility for managers and guards, perhaps a sub-district for reviewers."""

    role: Role
    facility_id: int | None = None
    sub_district_code: str | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    user_id: int
    sign_in_id: int
    login: str
    display_name: str
    grants: tuple[Granted, ...] = ()

    @property
    def is_administrator(self) -> bool:
        return any(g.role is Role.ADMINISTRATOR for g in self.grants)

    @property
    def is_staff(self) -> bool:
        return bool(self.grants)

    @property
    def managed_facility_ids(self) -> frozenset[int]:
        """The facilities named in the actor's own grants; an administrator's reach is not in it."""
        return frozenset(g.facility_id for g in self.grants if g.role is Role.MANAGER and g.facility_id is not None)

    def manages(self, facility_id: int) -> bool:
        return self.is_administrator or facility_id in self.managed_facility_ids
