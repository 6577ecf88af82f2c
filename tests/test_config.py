"""Settings: what stops the start, and in which words."""

import base64
import secrets
from pathlib import Path

import pytest

from config import Settings, SettingsError

SECRET = "k3vQ9-xT7mPz_2LbWc8RdYh5NfJs1GaE"
KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()


def read(tmp_path: Path, **environ: str) -> Settings:
    return Settings.read({"HUIMIN_INSTANCE": str(tmp_path), **environ})


WHOLE = {
    "DATABASE_URL": "postgresql://x:secret@y/z",
    "SECRET_KEY": SECRET,
    "IDENTITY_KEYS": KEY,
    "HUIMIN_HOSTS": "huimin.example.org",
}
WITHOUT: dict[str, str] = {}


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        pytest.param(WITHOUT, "DATABASE_URL", id="nothing set"),
        pytest.param(WHOLE | {"DATABASE_URL": "sqlite:///x"}, "HUIMIN_ALLOW_SQLITE", id="SQLite"),
        pytest.param(WHOLE | {"SECRET_KEY": ""}, "SECRET_KEY", id="no secret"),
        pytest.param(WHOLE | {"SECRET_KEY": "short"}, "SECRET_KEY", id="a short secret"),
        pytest.param(WHOLE | {"SECRET_KEY": "a" * 64}, "SECRET_KEY", id="a dull secret"),
        pytest.param(WHOLE | {"IDENTITY_KEYS": ""}, "IDENTITY_KEYS", id="no key"),
        pytest.param(WHOLE | {"IDENTITY_KEYS": "short"}, "IDENTITY_KEYS", id="a short key"),
        pytest.param(WHOLE | {"IDENTITY_KEYS": "A" * 43 + "="}, "IDENTITY_KEYS", id="a dull key"),
        pytest.param(WHOLE | {"IDENTITY_KEYS": f"{KEY},short"}, "IDENTITY_KEYS", id="an older key that is none"),
        pytest.param(WHOLE | {"HUIMIN_HOSTS": " , "}, "HUIMIN_HOSTS is missing", id="no hosts"),
        pytest.param(WHOLE | {"HUIMIN_HOSTS": "*"}, "HUIMIN_HOSTS", id="any host"),
        pytest.param(WHOLE | {"HUIMIN_HOSTS": "https://huimin.example.org"}, "HUIMIN_HOSTS", id="an address as host"),
        pytest.param(WHOLE | {"HUIMIN_PROXIES": "all"}, "HUIMIN_PROXIES", id="proxies in words"),
        pytest.param(WHOLE | {"HUIMIN_CLOCK_FILE": "clock"}, "HUIMIN_CLOCK_FILE", id="a clock file"),
        pytest.param(WHOLE | {"FLASK_DEBUG": "1"}, "FLASK_DEBUG", id="debugging"),
        pytest.param({"HUIMIN_ENV": "staging"}, "HUIMIN_ENV", id="an unknown environment"),
        pytest.param({"HUIMIN_ENV": "demo", "PORT": "http"}, "PORT", id="a port in words"),
        pytest.param({"HUIMIN_ENV": "demo", "PORT": "８０００"}, "PORT", id="a full-width port"),
        pytest.param({"HUIMIN_ENV": "demo", "WORKERS": "0"}, "WORKERS", id="no workers"),
    ],
)
def test_a_start_that_would_not_be_safe_is_refused_with_what_to_change(
    tmp_path: Path, environ: dict[str, str], says: str
) -> None:
    with pytest.raises(SettingsError, match=says):
        read(tmp_path, **environ)


def test_production_does_not_start_on_a_folder_that_others_can_read(tmp_path: Path) -> None:
    folder = tmp_path / "instance"
    folder.mkdir()
    for mode in (0o755, 0o750, 0o701):
        folder.chmod(mode)
        with pytest.raises(SettingsError, match="chmod 700"):
            read(folder, **WHOLE)
    folder.chmod(0o700)
    assert read(folder, **WHOLE).instance == folder


def test_a_folder_that_the_app_makes_is_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    assert read(folder, **WHOLE).is_production
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("url", "more", "warns"),
    [
        pytest.param("postgresql://x@y/z", {}, True, id="over TCP"),
        pytest.param("postgresql://x:@y/z", {}, True, id="an empty one"),
        pytest.param("postgresql://x@/z?host=y", {}, True, id="the host in the query"),
        pytest.param("postgresql://x:secret@y/z", {}, False, id="with a password"),
        pytest.param("postgresql://x@/z", {}, False, id="over a socket"),
        pytest.param("postgresql://x@/z?host=/run/postgresql", {}, False, id="over a socket with a path"),
        pytest.param("postgresql://x@y/z", {"PGPASSWORD": "secret"}, False, id="with one elsewhere"),
    ],
)
def test_a_database_without_a_password_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, url: str, more: dict[str, str], warns: bool
) -> None:
    read(tmp_path, **WHOLE | {"DATABASE_URL": url} | more)
    assert ("DATABASE_URL has no password" in caplog.text) is warns
    assert "secret" not in caplog.text


def test_hosts_and_proxies_are_read(tmp_path: Path) -> None:
    more = {"HUIMIN_HOSTS": "Huimin.example.org, 127.0.0.1", "HUIMIN_PROXIES": "2"}
    settings = read(tmp_path, **WHOLE | more)
    assert (settings.hosts, settings.proxies) == (("huimin.example.org", "127.0.0.1"), 2)
    demo = read(tmp_path, HUIMIN_ENV="demo")
    assert (demo.hosts, demo.proxies) == ((), 0)


def test_production_starts_on_postgresql_with_a_secret(tmp_path: Path) -> None:
    settings = read(tmp_path, **WHOLE)
    assert settings.is_production
    assert settings.database_url == "postgresql+psycopg://x:secret@y/z"


def test_production_on_sqlite_is_an_explicit_choice(tmp_path: Path) -> None:
    settings = read(tmp_path, **WHOLE | {"DATABASE_URL": "", "HUIMIN_ALLOW_SQLITE": "yes"})
    assert settings.database_url.startswith("sqlite")


def test_a_demonstration_makes_its_secret_once_and_for_itself(tmp_path: Path) -> None:
    first, again = (read(tmp_path, HUIMIN_ENV="demo") for _ in range(2))
    assert first.secret_key == again.secret_key
    assert len(first.secret_key) > 40
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0
    assert read(tmp_path / "other", HUIMIN_ENV="demo").secret_key != first.secret_key


def test_two_that_start_at_the_same_moment_have_the_same_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second comes while the first is still making it."""
    make, found = secrets.token_urlsafe, list[str]()

    def made_while_another_starts(size: int) -> str:
        monkeypatch.setattr(secrets, "token_urlsafe", make)
        found.append(read(tmp_path, HUIMIN_ENV="demo").secret_key)
        return make(size)

    monkeypatch.setattr(secrets, "token_urlsafe", made_while_another_starts)
    found.append(read(tmp_path, HUIMIN_ENV="demo").secret_key)
    assert len(found) == 2
    assert len(set(found)) == 1
    assert len(found[0]) > 40
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("tmp")] == []
