"""Typed settings, read once from the environment. `Settings.read()` says in plain words what is wrong."""

import base64
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVIRONMENTS = ("demo", "test", "production")
SHORTEST_SECRET = 32
KEY_BYTES = 32


class SettingsError(Exception):
    """The app cannot start like this; the text says which variable to change, and to what."""


@dataclass(frozen=True, slots=True)
class Settings:
    environment: str
    instance: Path
    database_url: str
    secret_key: str
    identity_keys: tuple[str, ...]
    clock_file: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    second_factor_required: bool = False

    @property
    def is_production(self) -> bool:
        return self.environment == "production"

    @property
    def is_test(self) -> bool:
        return self.environment == "test"

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        environment = environ.get("HUIMIN_ENV") or "production"
        if environment not in ENVIRONMENTS:
            raise SettingsError(f"HUIMIN_ENV is {environment!r}; set it to one of: {', '.join(ENVIRONMENTS)}.")
        production = environment == "production"
        instance = Path(environ.get("HUIMIN_INSTANCE") or ROOT / "instance").resolve()
        instance.mkdir(parents=True, exist_ok=True)
        clock_file = environ.get("HUIMIN_CLOCK_FILE")
        if production and environ.get("FLASK_DEBUG", "0") not in ("", "0", "false", "False"):
            raise SettingsError("FLASK_DEBUG shows the inside of the app to strangers; unset it in production.")
        if clock_file and production:
            raise SettingsError("HUIMIN_CLOCK_FILE is for tests and demonstrations; unset it.")
        return cls(
            environment=environment,
            instance=instance,
            database_url=_database_url(environ, instance, production=production),
            secret_key=_secret_key(environ, instance, production=production),
            identity_keys=_identity_keys(environ, instance, production=production),
            clock_file=Path(clock_file) if clock_file else None,
            host=environ.get("HOST") or "127.0.0.1",
            port=_whole_number(environ, "PORT", 8000),
            workers=_whole_number(environ, "WORKERS", os.cpu_count() or 1),
            second_factor_required=_second_factor_required(environ, environment),
        )


def _database_url(environ: Mapping[str, str], instance: Path, *, production: bool) -> str:
    url = environ.get("DATABASE_URL") or f"sqlite:///{instance / 'huimin.sqlite3'}"
    for plain in ("postgres://", "postgresql://"):  # the driver is ours to choose
        if url.startswith(plain):
            url = "postgresql+psycopg://" + url.removeprefix(plain)
    if production and url.startswith("sqlite") and environ.get("HUIMIN_ALLOW_SQLITE") != "yes":
        raise SettingsError("Production runs on PostgreSQL: set DATABASE_URL. For a single small community, "
                            "HUIMIN_ALLOW_SQLITE=yes accepts SQLite.")
    return url


def _secret_key(environ: Mapping[str, str], instance: Path, *, production: bool) -> str:
    key = environ.get("SECRET_KEY", "")
    if production:
        if len(key) < SHORTEST_SECRET or len(set(key)) < SHORTEST_SECRET // 4:
            raise SettingsError(f"SECRET_KEY is missing or weak: set at least {SHORTEST_SECRET} random characters, "
                                "for example from: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'.")
        return key
    return key or _kept_secret(instance / "secret_key", lambda: secrets.token_urlsafe(48))


def _identity_keys(environ: Mapping[str, str], instance: Path, *, production: bool) -> tuple[str, ...]:
    keys = tuple(key.strip() for key in environ.get("IDENTITY_KEYS", "").split(",") if key.strip())
    if not keys and not production:
        keys = (_kept_secret(instance / "identity_key", _new_key),)
    if not keys or not all(_is_key(key) for key in keys):
        raise SettingsError("IDENTITY_KEYS is missing or no key: set one or several, newest first, with commas "
                            "between them, each from: python3 -c 'import base64, secrets; "
                            "print(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())'.")
    return keys


def _second_factor_required(environ: Mapping[str, str], environment: str) -> bool:
    """Of staff; tests are never held up by it."""
    wanted = environ.get("HUIMIN_SECOND_FACTOR") or ("required" if environment == "production" else "optional")
    if wanted not in ("required", "optional"):
        raise SettingsError(f"HUIMIN_SECOND_FACTOR is {wanted!r}; set it to required or optional.")
    return wanted == "required" and environment != "test"


def _new_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def _is_key(text: str) -> bool:
    try:
        key = base64.b64decode(text, altchars=b"-_", validate=True)
    except ValueError:
        return False
    return len(key) == KEY_BYTES and len(set(key)) > KEY_BYTES // 4


def _kept_secret(path: Path, make: Callable[[], str]) -> str:
    """One secret for each demonstration or test installation, made at its first start."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii")
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        key = make()
        file.write(key)
    return key


def _whole_number(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not text.isdigit() or int(text) < 1:
        raise SettingsError(f"{name} is {text!r}; set it to a whole number above 0.")
    return int(text)
