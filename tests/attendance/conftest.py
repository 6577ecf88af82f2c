"""A place, its manager, and a session whose roll is open: it begins in half an hour and lasts 90 minutes."""

from datetime import timedelta

import pytest

from facilities.places.models import Facility
from facilities.programmes.models import ActivitySession
from tests.world import Someone, World


@pytest.fixture
def facility(world: World) -> Facility:
    return world.facility()


@pytest.fixture
def manager(world: World, facility: Facility) -> Someone:
    return world.manager(facility)


@pytest.fixture
def session(world: World, facility: Facility) -> ActivitySession:
    return world.session(facility, starts_in=timedelta(minutes=30))
