"""Compute the order of a draw again, from what is public of it, with nothing but Python's standard library (3.9 on).

    python3 recompute.py draw.json [TICKET]

`draw.json` is what the draw's address in the API answers. TICKET, if given, is the reference that a ticket's owner
keeps: it is looked for among the hashes. Exit status 0: everything agrees; 1: something does not; 2: not drawn yet.
"""

import hashlib
import hmac
import json
import sys
from decimal import ROUND_HALF_EVEN, Context, Decimal

EXACT = Context(prec=50, rounding=ROUND_HALF_EVEN)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def digest_of(entries: list) -> str:
    """One line `hash:weight` for each ticket, sorted by hash."""
    lines = [f"{hash_}:{weight}\n" for hash_, weight in sorted((e["hash"], e["weight"]) for e in entries)]
    return sha256("".join(lines))


def key(seed: str, digest: str, entry: dict) -> Decimal:
    """-ln(u) / weight, where u comes from the seed, all tickets together, and this ticket."""
    message = "{}:{}".format(digest, entry["hash"]).encode("ascii")
    number = int(hmac.new(seed.encode("ascii"), message, hashlib.sha256).hexdigest(), 16)
    u = EXACT.divide(Decimal(1 + number), Decimal(2**256 + 1))
    return EXACT.divide(EXACT.minus(EXACT.ln(u)), Decimal(entry["weight"]))


def order_of(seed: str, entries: list) -> list:
    digest = digest_of(entries)
    return sorted(entries, key=lambda entry: (key(seed, digest, entry), entry["hash"]))


def main(path: str, ticket: str = "") -> int:
    with open(path, encoding="utf-8") as file:
        draw = json.load(file)
    if not draw["seed"]:
        say("This draw has not been held yet: its seed is not public.")
        return 2
    order = order_of(draw["seed"], draw["entries"])
    told = [entry["hash"] for entry in sorted(draw["entries"], key=lambda entry: entry["rank"])]
    checks = {
        "the seed is the one that was promised": sha256(draw["seed"]) == draw["commitment"],
        "the list of tickets has the digest that was told": digest_of(draw["entries"]) == draw["entries_digest"],
        "the order is the one that was told": [entry["hash"] for entry in order] == told,
    }
    for rank, entry in enumerate(order, start=1):
        say("{}\t{}\t{}".format(rank, entry["hash"], entry["weight"]))
    if ticket:
        mine = sha256(json.dumps([draw["reference"], ticket], separators=(",", ":")))
        checks[f"ticket {ticket} is in it"] = mine in told
        if mine in told:
            say(f"Ticket {ticket} came out at {told.index(mine) + 1}.")
    for what, agrees in checks.items():
        say("{}: {}".format("yes" if agrees else "NO", what))
    return 0 if all(checks.values()) else 1


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
