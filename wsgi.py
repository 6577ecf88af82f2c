"""The server's entry: `gunicorn wsgi:app`."""

from config import Settings
from facilities.app import create_app
from facilities.web.log import set_up_log

set_up_log()
app = create_app(Settings.read())
