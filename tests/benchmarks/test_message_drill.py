"""The message drill in short: none lost, none under another reference, none for what was cancelled; and proof that it
would be seen.
"""

import random
import subprocess
import sys
from collections import Counter

import pytest

from benchmarks.message_drill import Ledger, tamper, violations
from benchmarks.messages.gateway import Arrival, Gateway
from config import ROOT

pytestmark = pytest.mark.race


def test_no_message_is_lost_or_doubled_while_the_provider_and_the_worker_fail(kind: str) -> None:
    options = ("--database", kind, "--messages", "48", "--seconds", "10", "--hang", "3", "--factor", "360")
    options += ("--kills", "6")  # ten, and a thousand messages, where it is started by hand
    options += ("--slowest", "10")  # how fast it is, is for a machine that does nothing else
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.message_drill", *options, "--seed", "3"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    said = done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("drill\t")]
    assert lines, said
    summary = dict(pair.split("=", 1) for pair in lines[-1].split("\t")[1:])
    assert (done.returncode, summary["violations"]) == (0, "0"), said
    assert (summary["messages"], summary["kills"]) == ("48", "6"), said
    assert int(summary["repeats"]) > 3, said
    assert int(summary["cancelled"]) > 0, said


def test_each_kind_of_violation_is_seen() -> None:
    """The negative control: what is looked at is tampered with, after a day on which all went well."""
    gateway, ledger = Gateway(1, random.Random(1)), Ledger()
    try:
        for n in range(6):
            phone = f"1390000000{n}"
            ledger.bookings[phone] = str(n)
            ledger.took.append(0.01)
            gateway.arrivals.append(Arrival(float(n), phone, f"r{n}"))
            gateway.delivered[f"r{n}"] = phone
        ledger.cancelled_at["13900000005"] = 5.5
        assert violations(ledger, gateway, Counter(sent=6), 1.0) == []
        expected = tamper(ledger, gateway)
        found = violations(ledger, gateway, Counter(sent=5, waiting=1), 1.0)
        assert {rule for rule, _ in found} == expected | {"not ended"}
    finally:
        gateway.stop()
