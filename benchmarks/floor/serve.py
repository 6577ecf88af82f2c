"""The floor behind the app's own server: what `bin/manage serve` runs, with the floor in the app's place.

So the worker class, the threads and the number of processes are the app's, whatever they become.
"""

from types import SimpleNamespace

from benchmarks.floor.app import create_app
from config import Settings
from facilities import cli

if __name__ == "__main__":
    settings = Settings.read()
    cli.create_app = lambda _settings: create_app(settings.database_url)
    cli.serve.main([], obj=SimpleNamespace(config={"HUIMIN_SETTINGS": settings}))
