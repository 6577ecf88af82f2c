"""The form for saying how it was."""

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectChoice

from facilities.engine.feedback import BEST, WORST
from facilities.feedback.models import Feedback
from facilities.web.forms import BaseForm, needed, text
from facilities.web.parts import WORDS


class FeedbackForm(BaseForm):
    rating = RadioField(_l("Choose what fits best"), [needed()], choices=[
        SelectChoice(str(n), WORDS["rating"][n]) for n in range(BEST, WORST - 1, -1)])
    words = text(_l("What should we know?"), longest=500, optional=True, multiline=True, rows=4,
                 hint=_l("Staff read it without your name. Please name nobody else either."))

    def show(self, given: Feedback) -> None:
        self.rating.data, self.words.data = str(given.rating), given.words
