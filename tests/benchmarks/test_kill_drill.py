"""The kill drill in short: nothing acknowledged is lost, nothing is there twice; and proof that it would be seen."""

import subprocess
import sys

import pytest

from config import ROOT

pytestmark = pytest.mark.race

SECONDS, KILLS = 5, 3  # so long, and on a slow machine until so many are done


def drill(*arguments: str) -> tuple[int, dict[str, str], str]:
    """Exit code, the last line's names and values, everything that it said."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.kill_drill", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    said = done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("drill\t")]
    assert lines, said
    return done.returncode, dict(pair.split("=", 1) for pair in lines[-1].split("\t")[1:]), said


def test_nothing_acknowledged_is_lost_whatever_is_killed_and_damage_would_be_seen(kind: str) -> None:
    """And the negative control: rows are deleted, copied and changed behind the constraints after the last answer."""
    so_long = ("--seconds", str(SECONDS), "--kills", str(KILLS))
    code, summary, said = drill("--database", kind, *so_long, "--complete", "--seed", "1", "--sabotage")
    assert (code, summary["violations"]) == (0, "0"), said
    assert int(summary["bookings"]) > 10, said
    assert int(summary["cancels"]) > 3, said
    assert int(summary["kills"]) >= KILLS, said
    assert int(summary["restarts"]) >= 1, said
    seen = next(line for line in said.splitlines() if line.startswith("sabotage seen: "))
    assert len(seen.split(", ")) > 3, said
