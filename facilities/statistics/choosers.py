"""What the figures can be narrowed to, as lists to choose from."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from facilities.infra.db import db
from facilities.kernel.actors import Actor
from facilities.places import queries as places
from facilities.places.models import Community
from facilities.programmes import queries as programmes
from facilities.statistics.addresses import CHOICES, narrowed_to
from facilities.statistics.dimensions import Dimension, Scope
from facilities.statistics.wording import word_for
from facilities.web.language import in_language


@dataclass(frozen=True, slots=True)
class Chooser:
    """`chosen`: the value that stands in the address, or an empty text for all."""

    dimension: Dimension
    all_of_them: str
    options: list[tuple[str, str]]
    chosen: str


def choosers(actor: Actor, scope: Scope) -> list[Chooser]:
    communities = db.session.scalars(select(Community).order_by(Community.sub_district_code, Community.id))
    options: dict[Dimension, list[tuple[str, str]]] = {
        Dimension.FACILITY: _named(places.managed_facilities(actor)),
        Dimension.PROGRAMME: _named(programmes.programmes()),
        Dimension.SUB_DISTRICT: _named(places.sub_districts(), "code"), Dimension.COMMUNITY: _named(communities),
        **{dimension: _worded(dimension, values) for dimension, values in CHOICES.items()},
    }
    everything = {Dimension.FACILITY: _("All facilities"), Dimension.PROGRAMME: _("All programmes")}
    chosen = narrowed_to(scope)
    return [Chooser(dimension, everything.get(dimension) or _("All"), rows, chosen.get(dimension, ""))
            for dimension, rows in options.items() if rows]


def _named(things: Iterable[Any], key: str = "id") -> list[tuple[str, str]]:
    return [(str(getattr(thing, key)), in_language(thing)) for thing in things]


def _worded(dimension: Dimension, values: Iterable[object]) -> list[tuple[str, str]]:
    return [(str(value), word_for(dimension, str(value))) for value in values]
