"""The server's entry: `gunicorn wsgi:app`."""

import gc

from config import Settings
from facilities.app import create_app
from facilities.web.log import set_up_log

set_up_log()
app = create_app(Settings.read())
gc.freeze()  # what an app is made of stays: to look through it for garbage stops every thread for a tenth of a second
