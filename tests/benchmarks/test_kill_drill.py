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


def test_nothing_acknowledged_is_lost_whatever_is_killed(kind: str) -> None:
    so_long = ("--seconds", str(SECONDS), "--kills", str(KILLS))
    code, summary, said = drill("--database", kind, *so_long, "--complete", "--seed", "1")
    assert (code, summary["violations"]) == (0, "0"), said
    assert int(summary["bookings"]) > 10, said
    assert int(summary["cancels"]) > 3, said
    assert int(summary["kills"]) >= KILLS, said
    assert int(summary["restarts"]) >= 1, said


def test_the_drill_sees_damage_that_is_done_behind_the_constraints(kind: str) -> None:
    """The negative control: rows deleted, copied and changed after the last answer."""
    code, summary, said = drill("--database", kind, "--seconds", "3", "--complete", "--seed", "1", "--sabotage")
    assert code == 1, said
    assert "sabotage seen: " in said
    assert int(summary["violations"]) > 3, said
