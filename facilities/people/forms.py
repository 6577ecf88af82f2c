"""Forms for merging two records of one person."""

from flask_babel import lazy_gettext as _l

from facilities.web.forms import BaseForm, text


class PairForm(BaseForm):
    first = text(_l("One record"), longest=40, autocomplete="off",
                 hint=_l("Mobile number, identity number, or the number of the record."))
    second = text(_l("The other record"), longest=40, autocomplete="off",
                  hint=_l("Where both have the same mobile number, enter it twice."))


class MergeForm(BaseForm):
    reason = text(_l("Reason"), longest=200,
                  hint=_l("Why you are sure that this is one person. It is kept on record."))


class UndoForm(BaseForm):
    """Only the token."""
