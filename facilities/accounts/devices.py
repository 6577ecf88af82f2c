"""Browsers from which somebody signed in before, and what a browser calls itself, in words."""

import hashlib
import re
import secrets
from datetime import timedelta

from sqlalchemy import delete, exists, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from facilities.accounts.models import KnownDevice
from facilities.infra.db import db
from facilities.kernel import clock

KNOWN_FOR = timedelta(days=365)  # since the last sign-in
LONGEST_TOKEN = 64


def _hash(user_id: int, token: str) -> str:
    """One browser may be known for several people, who share a tablet; the token has 256 random bits."""
    return hashlib.sha256(f"{user_id} {token}".encode()).hexdigest()


def is_known(user_id: int, token: str) -> bool:
    return bool(db.session.scalar(select(exists().where(
        KnownDevice.token_hash == _hash(user_id, token), KnownDevice.seen_at > clock.now() - KNOWN_FOR))))


def remember(user_id: int, token: str | None) -> str:
    """The token of this browser for its cookie: the one that it has, or a new one. What is long unused is forgotten."""
    now = clock.now()
    token = token if token and len(token) <= LONGEST_TOKEN and token.isascii() else secrets.token_urlsafe(32)
    hashed = _hash(user_id, token)
    db.session.execute(delete(KnownDevice).where(
        KnownDevice.user_id == user_id, KnownDevice.seen_at <= now - KNOWN_FOR))
    insert = postgresql_insert if db.engine.dialect.name == "postgresql" else sqlite_insert
    db.session.execute(
        insert(KnownDevice).values(user_id=user_id, token_hash=hashed, seen_at=now)
        .on_conflict_do_update(index_elements=[KnownDevice.token_hash], set_={"seen_at": now}))
    return token


def forget_all(user_id: int) -> None:
    db.session.execute(delete(KnownDevice).where(KnownDevice.user_id == user_id))


# The first that fits: browsers call themselves by the names of those before them.
_BROWSERS = (("MicroMessenger", "WeChat"), ("Edg", "Edge"), ("HuaweiBrowser", "Huawei Browser"),
             ("MiuiBrowser", "Mi Browser"), ("UCBrowser", "UC Browser"), ("MQQBrowser", "QQ Browser"),
             ("QQBrowser", "QQ Browser"), ("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("CriOS", "Chrome"),
             ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (("HarmonyOS", "HarmonyOS"), ("OpenHarmony", "HarmonyOS"), ("Android", "Android"), ("iPad", "iPad"),
            ("iPhone", "iPhone"), ("Windows", "Windows"), ("Macintosh", "Mac"), ("CrOS", "ChromeOS"),
            ("Linux", "Linux"))


def in_words(user_agent: str) -> str | None:
    """`Chrome on Android`, from what a browser sends; None where neither is known. Nothing else of it is kept."""
    browser = next((name for mark, name in _BROWSERS if re.search(rf"\b{mark}", user_agent)), None)
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), None)
    return f"{browser} on {system}" if browser and system else browser or system
