"""The code that shows a booking at the door: signed, so that none can be made up, and good for that booking alone.

It says which booking, and nothing of a person. Whoever finds one can do nothing with it: only who runs the session may
tick by it, and only while the place is held.
"""

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="check-in")


def code_of(booking_id: int) -> str:
    """What the QR code holds; the same each time, so that a printed one stays good."""
    return str(_signer().dumps(booking_id))


def read_code(text: str) -> int | None:
    """The booking's number, or None where the code is not one of ours."""
    try:
        number = _signer().loads(text)
    except BadSignature:
        return None
    return number if isinstance(number, int) else None
