"""Typed settings, read once from the environment. `Settings.read()` says in plain words what is wrong."""

import base64
import json
import logging
import os
import secrets
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

ROOT = Path(__file__).resolve().parent
ENVIRONMENTS = ("demo", "test", "production")
SHORTEST_SECRET = 32
KEY_BYTES = 32

log = logging.getLogger("facilities.config")


class SettingsError(Exception):
    """The app cannot start like this; the text says which variable to change, and to what."""


@dataclass(frozen=True, slots=True)
class Sms:
    """A provider of text messages: its address, the key that signs what it gets, and what it has registered.

    `templates`: the provider's number of a text, by the kind of message; kinds without one go under their own name.
    """

    url: str
    key: str
    signature: str
    templates: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail server as smtp://user:password@host:587 or smtps://…, and who the mail is from."""

    url: str
    sender: str


@dataclass(frozen=True, slots=True)
class Wechat:
    """Our mini-program; `templates`: by kind of message `{"id": …, "what": "thing1", "when": "time2", …}`."""

    url: str
    app_id: str
    secret: str
    templates: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Platform:
    """The municipal platform: where it takes messages, and the key that signs what it gets."""

    url: str
    key: str


@dataclass(frozen=True, slots=True)
class Settings:
    environment: str
    instance: Path
    database_url: str
    secret_key: str
    identity_keys: tuple[str, ...]
    clock_file: Path | None = None
    notice_dir: Path | None = None
    confirms_phones: bool = False
    sms: Sms | None = None
    mail: Mail | None = None
    wechat: Wechat | None = None
    platform: Platform | None = None
    address: str | None = None  # under which people reach the app: messages lead there
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    hosts: tuple[str, ...] = ()  # names under which the app answers; none: under any
    proxies: int = 0  # how many of our own stand in front and say where a request came from
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
        _only_ours(instance, production=production)
        clock_file, notice_dir = environ.get("HUIMIN_CLOCK_FILE"), environ.get("HUIMIN_NOTICE_DIR")
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
            notice_dir=Path(notice_dir).resolve() if notice_dir else None,
            confirms_phones=production or environ.get("HUIMIN_PHONE_CONFIRMATION", "off") == "on",
            sms=_sms(environ),
            mail=_mail(environ),
            wechat=_wechat(environ),
            platform=_platform(environ),
            address=_address(environ, production=production),
            host=environ.get("HOST") or "127.0.0.1",
            port=_whole_number(environ, "PORT", 8000),
            workers=_whole_number(environ, "WORKERS", os.cpu_count() or 1),
            hosts=_hosts(environ, production=production),
            proxies=_whole_number(environ, "HUIMIN_PROXIES", 0, least=0),
            second_factor_required=_second_factor_required(environ, environment),
        )


def _only_ours(instance: Path, *, production: bool) -> None:
    """The folder of secrets, and of the database where that is SQLite; ours alone where we make it."""
    instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    if production and instance.stat().st_mode & 0o077:
        raise SettingsError(f"HUIMIN_INSTANCE: others of this machine can read {instance}; run: chmod 700 {instance}.")


def _hosts(environ: Mapping[str, str], *, production: bool) -> tuple[str, ...]:
    hosts = tuple(host.strip().lower() for host in environ.get("HUIMIN_HOSTS", "").split(",") if host.strip())
    if production and not hosts:
        raise SettingsError("HUIMIN_HOSTS is missing: set the names under which the app is reached, with commas "
                            "between them, as in huimin.example.org,127.0.0.1.")
    if wrong := [host for host in hosts if any(c in host for c in "/*@ ") or host == "."]:
        raise SettingsError(f"HUIMIN_HOSTS is to hold names of hosts, not {wrong[0]!r}; a dot in front stands for all "
                            "names below.")
    return hosts


def _database_url(environ: Mapping[str, str], instance: Path, *, production: bool) -> str:
    url = environ.get("DATABASE_URL") or f"sqlite:///{instance / 'huimin.sqlite3'}"
    for plain in ("postgres://", "postgresql://"):  # the driver is ours to choose
        if url.startswith(plain):
            url = "postgresql+psycopg://" + url.removeprefix(plain)
    if production and url.startswith("sqlite") and environ.get("HUIMIN_ALLOW_SQLITE") != "yes":
        raise SettingsError("Production runs on PostgreSQL: set DATABASE_URL. For a single small community, "
                            "HUIMIN_ALLOW_SQLITE=yes accepts SQLite.")
    if production and not url.startswith("sqlite"):
        _warn_of_no_password(url, environ)
    return url


def _warn_of_no_password(url: str, environ: Mapping[str, str]) -> None:
    """Not refused: the server may know us by a certificate."""
    parts = urlsplit(url)
    host = parts.hostname or parse_qs(parts.query).get("host", [""])[0]
    elsewhere = environ.get("PGPASSWORD") or environ.get("PGPASSFILE")
    if host and not host.startswith("/") and not parts.password and not elsewhere:
        log.warning("DATABASE_URL has no password, and does not lead to a socket: "
                    "see that the database lets nobody else in")


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


def _sms(environ: Mapping[str, str]) -> Sms | None:
    found = _provider(environ, "HUIMIN_SMS_URL", "HUIMIN_SMS_KEY")
    if found is None:
        return None
    templates = _json_file(environ, "HUIMIN_SMS_TEMPLATES", str)
    return Sms(*found, environ.get("HUIMIN_SMS_SIGNATURE") or "惠民大渡口", templates)


def _mail(environ: Mapping[str, str]) -> Mail | None:
    url, sender = environ.get("HUIMIN_SMTP_URL", ""), environ.get("HUIMIN_MAIL_FROM", "")
    if not url and not sender:
        return None
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or "@" not in sender:
        raise SettingsError("HUIMIN_SMTP_URL and HUIMIN_MAIL_FROM go together: an address such as "
                            "smtps://user:password@mail.example.org, and who mail is from, as in "
                            "惠民大渡口 <noreply@example.org>.")
    return Mail(url, sender)


def _wechat(environ: Mapping[str, str]) -> Wechat | None:
    app_id, secret = environ.get("HUIMIN_WECHAT_APP_ID", ""), environ.get("HUIMIN_WECHAT_SECRET", "")
    if bool(app_id) != bool(secret):
        raise SettingsError("HUIMIN_WECHAT_APP_ID and HUIMIN_WECHAT_SECRET go together.")
    if not app_id:
        return None
    url = environ.get("HUIMIN_WECHAT_URL") or "https://api.weixin.qq.com"
    if not _is_safe(url):
        raise SettingsError("HUIMIN_WECHAT_URL begins with https://.")
    return Wechat(url.rstrip("/"), app_id, secret, _json_file(environ, "HUIMIN_WECHAT_TEMPLATES", dict))


def _platform(environ: Mapping[str, str]) -> Platform | None:
    found = _provider(environ, "HUIMIN_PLATFORM_URL", "HUIMIN_PLATFORM_KEY")
    return Platform(*found) if found else None


def _provider(environ: Mapping[str, str], name: str, key_name: str) -> tuple[str, str] | None:
    url, key = environ.get(name, ""), environ.get(key_name, "")
    if bool(url) != bool(key) or (url and not _is_safe(url)):
        raise SettingsError(f"{name} and {key_name} go together; the address begins with https://.")
    return (url, key) if url else None


def _is_safe(url: str) -> bool:
    """Nobody listens on the way; this machine's own addresses are for tests and for a proxy beside the app."""
    return url.startswith("https://") or urlsplit(url).hostname in ("127.0.0.1", "::1")


def _json_file(environ: Mapping[str, str], name: str, kind: type) -> dict[str, Any]:
    """What a provider has registered, by kind of message."""
    path = environ.get(name)
    if not path:
        return {}
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{name}: {path} cannot be read as JSON.") from error
    if not isinstance(found, dict) or not all(isinstance(value, kind) for value in found.values()):
        raise SettingsError(f"{name}: {path} is to hold one object, with an entry for each kind of message.")
    return found


def _address(environ: Mapping[str, str], *, production: bool) -> str | None:
    """Without one, messages lead nowhere and say so in words."""
    address = environ.get("HUIMIN_ADDRESS", "").rstrip("/")
    if not address:
        return None if production else f"http://{environ.get('HOST') or '127.0.0.1'}:{environ.get('PORT') or 8000}"
    parts = urlsplit(address)
    if not parts.hostname or parts.scheme not in ("https", "http") or (production and parts.scheme != "https"):
        raise SettingsError("HUIMIN_ADDRESS is where people reach the app, as in https://huimin.example.org.")
    return address


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
    """One secret for each demonstration or test installation, made at its first start.

    Two that start at the same moment have the same: it is there as a whole, or not at all.
    """
    if not path.exists():
        descriptor, written = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(make())
        with suppress(FileExistsError):
            os.link(written, path)
        os.unlink(written)
    return path.read_text(encoding="ascii")


def _whole_number(environ: Mapping[str, str], name: str, default: int, *, least: int = 1) -> int:
    text = environ.get(name) or str(default)
    if not (text.isascii() and text.isdigit()) or int(text) < least:
        raise SettingsError(f"{name} is {text!r}; set it to a whole number from {least}.")
    return int(text)
