"""A fair, weighted draw that anyone can recompute: Efraimidis and Spirakis, Information Processing Letters 97 (2006).

The seed's commitment is public before anybody enters, the entries' hashes and weights once entering is over, the seed
when it is drawn. An entry's number is u = (1 + HMAC-SHA256(seed, digest:hash)) / (2^256 + 1), key and message as ASCII
text, and who has the smallest -ln(u) / weight comes first: with a weight of 2000 twice as often as with one of 1000.
"""

import hmac
import json
import re
import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal
from hashlib import sha256

BASE_WEIGHT = 1000  # an ordinary entry's
_SEED_BYTES = 32
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
# Decimal's quotients and logarithms are correctly rounded, which a machine's own floats need not be.
_EXACT = Context(prec=50, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True)
class Entry:
    """A party of residents has one entry. ValueError for a hash that is not 64 hex digits, or a weight below 1."""

    hash: str
    weight: int = BASE_WEIGHT

    def __post_init__(self) -> None:
        if not _HASH.fullmatch(self.hash):
            raise ValueError("an entry's hash is 64 hexadecimal digits")
        if self.weight < 1:
            raise ValueError("an entry's weight is above zero")


@dataclass(frozen=True, slots=True)
class WeightRule:
    """`priority`: group → percent of an ordinary entry's weight, 1 to 1000; ValueError outside of that."""

    halve_per_win: bool = False
    priority: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not all(1 <= percent <= 1000 for percent in self.priority.values()):
            raise ValueError("a priority is between 1 and 1000 percent")


def weight(rule: WeightRule, *, past_wins: int, groups: Collection[str]) -> int:
    """Thousandths of an ordinary entry's. Of several groups the greatest percentage counts alone; never below 1."""
    if past_wins < 0:
        raise ValueError("nobody has won less than never")
    percent = max((rule.priority[group] for group in groups if group in rule.priority), default=100)
    full = BASE_WEIGHT * percent // 100
    return max(full >> past_wins if rule.halve_per_win else full, 1)


def new_seed() -> str:
    """64 hexadecimal digits that nobody can foresee."""
    return secrets.token_hex(_SEED_BYTES)


def commitment(seed: str) -> str:
    """What is published of a seed before it is used: SHA-256 of its text, hex."""
    return sha256(seed.encode("ascii")).hexdigest()


def entry_hash(draw_reference: str, entry_reference: str) -> str:
    """SHA-256, hex, of `["DRAW","ENTRY"]`: JSON without blanks, so that two pairs never read the same."""
    return sha256(json.dumps([draw_reference, entry_reference], separators=(",", ":")).encode("ascii")).hexdigest()


def entries_digest(entries: Iterable[Entry]) -> str:
    """SHA-256, hex, of the lines `hash:weight`, sorted by hash; ValueError where a hash is there twice."""
    in_order = sorted(entries, key=lambda entry: entry.hash)
    if len({entry.hash for entry in in_order}) < len(in_order):
        raise ValueError("an entry is in the draw twice")
    return sha256("".join(f"{entry.hash}:{entry.weight}\n" for entry in in_order).encode("ascii")).hexdigest()


def draw_order(seed: str, entries: Collection[Entry]) -> list[Entry]:
    """Who comes first; the order in which the entries are given does not matter."""
    digest = entries_digest(entries)
    return sorted(entries, key=lambda entry: (_key(seed, digest, entry), entry.hash))


def _key(seed: str, digest: str, entry: Entry) -> Decimal:
    number = int(hmac.new(seed.encode("ascii"), f"{digest}:{entry.hash}".encode("ascii"), sha256).hexdigest(), 16)
    u = _EXACT.divide(Decimal(1 + number), Decimal(2**256 + 1))  # above 0 and below 1, both excluded
    return _EXACT.divide(_EXACT.minus(_EXACT.ln(u)), Decimal(entry.weight))
