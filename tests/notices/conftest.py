"""What tests of words stand on."""

import pytest
from flask import Flask

from tests.conftest import Apps


@pytest.fixture
def speaking_app(apps: Apps) -> Flask:
    """Words need no database: one app serves all, and none is emptied in between."""
    return apps.get("sqlite")[0]
