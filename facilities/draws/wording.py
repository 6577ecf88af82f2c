"""A draw's rule in words, for the page and for the API alike."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from facilities.engine.draws import WeightRule

GROUP_WORDS: dict[str, Any] = {
    "children": _l("children under 18"),
    "elders": _l("people of 60 and over"),
    "disabled": _l("residents with a disability"),
}


def rule_in_words(rule: WeightRule) -> list[str]:
    """Each a sentence."""
    said = [_("A family that enters together has one ticket: all of them are drawn, or none.")]
    if not rule.halve_per_win and not rule.priority:
        said.append(_("Every ticket has the same chance to come first."))
    if rule.halve_per_win:
        said.append(_("Each time somebody on the ticket was drawn here in the past year halves its weight, "
                      "so that others have their turn."))
    said += [_("A ticket with %(group)s on it counts %(percent)s per cent of an ordinary one.",
               group=GROUP_WORDS[group], percent=percent)
             for group, percent in rule.priority.items() if group in GROUP_WORDS]
    if len(rule.priority) > 1:
        said.append(_("Where several of these hold, the greatest counts alone."))
    said.append(_("Places are given in the order of the draw. A ticket that does not fit any more stands on the "
                  "waiting list in the same order."))
    return said
