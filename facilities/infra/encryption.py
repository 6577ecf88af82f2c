"""Numbers that name a person: unreadable without the keys of the installation, and still to be found by their value.

The keys are IDENTITY_KEYS, newest first: the first encrypts and all decrypt, so that a key can be exchanged without a
pause. What a value is found by is keyed too, because identity numbers are few enough to try them all: it is written
under the newest key and looked for under each. After `bin/manage identities rotate` everything is under the newest, and
the others can be taken away.

A process that lacks the newest key would neither read nor find what others write. Where several run, each gets the new
key as its last one first ("old,new"), and only then as its first ("new,old").
"""

import hashlib
import hmac
from dataclasses import dataclass

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import Flask, current_app


class Unreadable(Exception):
    """None of the keys fits: one is missing from IDENTITY_KEYS."""


@dataclass(frozen=True, slots=True)
class Cipher:
    boxes: MultiFernet
    lookup_keys: tuple[bytes, ...]

    @classmethod
    def of(cls, keys: tuple[str, ...]) -> "Cipher":
        """From keys as `Fernet.generate_key` makes them."""
        derived = tuple(HKDF(SHA256(), 32, salt=None, info=b"lookup").derive(key.encode()) for key in keys)
        return cls(MultiFernet([Fernet(key) for key in keys]), derived)

    @property
    def is_changing(self) -> bool:
        """A key is being exchanged: what is stored may be under any of several."""
        return len(self.lookup_keys) > 1

    def encrypt(self, value: str) -> str:
        return self.boxes.encrypt(value.encode()).decode()

    def decrypt(self, text: str) -> str:
        try:
            return self.boxes.decrypt(text.encode()).decode()
        except InvalidToken as error:
            raise Unreadable from error

    def again(self, text: str) -> str:
        """The same value under the newest key."""
        try:
            return self.boxes.rotate(text.encode()).decode()
        except InvalidToken as error:
            raise Unreadable from error

    def lookup(self, value: str) -> str:
        """What a value is stored to be found by: HMAC-SHA256 under the newest key, hex."""
        return self.lookups(value)[0]

    def lookups(self, value: str) -> tuple[str, ...]:
        """What it may be stored under, the newest key's first."""
        return tuple(hmac.new(key, value.encode(), hashlib.sha256).hexdigest() for key in self.lookup_keys)


def register_encryption(app: Flask, keys: tuple[str, ...]) -> None:
    app.extensions["cipher"] = Cipher.of(keys)


def cipher() -> Cipher:
    found: Cipher = current_app.extensions["cipher"]
    return found
