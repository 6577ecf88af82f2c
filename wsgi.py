"""The server's entry: `gunicorn wsgi:app`."""

from config import Settings
from facilities.app import create_app

app = create_app(Settings.read())
