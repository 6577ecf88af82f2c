"""Settings: what stops the start, and in which words."""

import base64
from pathlib import Path

import pytest

from config import Settings, SettingsError

SECRET = "k3vQ9-xT7mPz_2LbWc8RdYh5NfJs1GaE"
KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()


def read(tmp_path: Path, **environ: str) -> Settings:
    return Settings.read({"HUIMIN_INSTANCE": str(tmp_path), **environ})


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({}, "DATABASE_URL"),
        ({"DATABASE_URL": "sqlite:///x", "SECRET_KEY": SECRET, "IDENTITY_KEYS": KEY}, "HUIMIN_ALLOW_SQLITE"),
        ({"DATABASE_URL": "postgresql://x/y"}, "SECRET_KEY"),
        ({"DATABASE_URL": "postgresql://x/y", "SECRET_KEY": SECRET}, "IDENTITY_KEYS"),
        ({"DATABASE_URL": "postgresql://x/y", "SECRET_KEY": SECRET, "IDENTITY_KEYS": "short"}, "IDENTITY_KEYS"),
        ({"DATABASE_URL": "postgresql://x/y", "SECRET_KEY": SECRET, "IDENTITY_KEYS": "A" * 43 + "="}, "IDENTITY_KEYS"),
        ({"DATABASE_URL": "postgresql://x/y", "SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"DATABASE_URL": "postgresql://x/y", "SECRET_KEY": "a" * 64}, "SECRET_KEY"),
        (
            {
                "DATABASE_URL": "postgresql://x/y",
                "SECRET_KEY": SECRET,
                "IDENTITY_KEYS": KEY,
                "HUIMIN_CLOCK_FILE": "clock",
            },
            "HUIMIN_CLOCK_FILE",
        ),
        ({"HUIMIN_ENV": "staging"}, "HUIMIN_ENV"),
        ({"HUIMIN_ENV": "demo", "PORT": "http"}, "PORT"),
        ({"HUIMIN_ENV": "demo", "WORKERS": "0"}, "WORKERS"),
    ],
    ids=[
        "nothing set",
        "SQLite",
        "no secret",
        "a short secret",
        "a dull secret",
        "a clock file",
        "an unknown environment",
        "a port in words",
        "no workers",
    ],
)
def test_a_start_that_would_not_be_safe_is_refused_with_what_to_change(
    tmp_path: Path, environ: dict[str, str], says: str
) -> None:
    with pytest.raises(SettingsError, match=says):
        read(tmp_path, **environ)


def test_production_starts_on_postgresql_with_a_secret(tmp_path: Path) -> None:
    settings = read(tmp_path, DATABASE_URL="postgresql://x/y", SECRET_KEY=SECRET, IDENTITY_KEYS=KEY)
    assert settings.is_production
    assert settings.database_url == "postgresql+psycopg://x/y"


def test_production_on_sqlite_is_an_explicit_choice(tmp_path: Path) -> None:
    settings = read(tmp_path, HUIMIN_ALLOW_SQLITE="yes", SECRET_KEY=SECRET, IDENTITY_KEYS=KEY)
    assert settings.database_url.startswith("sqlite")


def test_a_demonstration_makes_its_secret_once_and_for_itself(tmp_path: Path) -> None:
    first, again = (read(tmp_path, HUIMIN_ENV="demo") for _ in range(2))
    assert first.secret_key == again.secret_key
    assert len(first.secret_key) > 40
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0
    assert read(tmp_path / "other", HUIMIN_ENV="demo").secret_key != first.secret_key
