"""Numbers that name a person: unreadable without the keys of the installation, and still to be found by their value.

The keys are IDENTITY_KEYS, newest first: the first encrypts, all decrypt, so that a key can be exchanged without a
pause. What a value is found by is keyed too, because identity numbers are few enough to try them all; that key is made
from the oldest of them, and changes when `bin/manage identities rotate` has gone through the rows and it is taken away.
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
    lookup_key: bytes

    @classmethod
    def of(cls, keys: tuple[str, ...]) -> "Cipher":
        """From keys as `Fernet.generate_key` makes them."""
        derived = HKDF(SHA256(), 32, salt=None, info=b"lookup").derive(keys[-1].encode())
        return cls(MultiFernet([Fernet(key) for key in keys]), derived)

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
        """What a value is found by: HMAC-SHA256, hex."""
        return hmac.new(self.lookup_key, value.encode(), hashlib.sha256).hexdigest()


def register_encryption(app: Flask, keys: tuple[str, ...]) -> None:
    app.extensions["cipher"] = Cipher.of(keys)


def cipher() -> Cipher:
    found: Cipher = current_app.extensions["cipher"]
    return found
