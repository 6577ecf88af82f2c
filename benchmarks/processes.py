"""Processes of our own: started, waited for, killed and stopped by their ids. Nothing outlives the tool.

Everything here is called from the main thread: on Linux a child's leash is held by the thread that started it.
"""

import contextlib
import http.client
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

from config import ROOT
from tests.servers import free_port

STARTS_WITHIN = 60.0  # seconds
STOPS_WITHIN = 20.0


class Overtime(Exception):
    """The tool ran longer than it may, or was told to stop."""


@contextlib.contextmanager
def hard_deadline(seconds: float) -> Iterator[None]:
    """Raise Overtime in the main thread after `seconds`, and on SIGTERM, so that what was started is stopped."""

    def out_of_time(number: int, _frame: FrameType | None) -> None:
        raise Overtime(f"stopped after at most {seconds:.0f} s" if number == signal.SIGALRM else "told to stop")

    before = [(number, signal.signal(number, out_of_time)) for number in (signal.SIGALRM, signal.SIGTERM)]
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before:
            signal.signal(number, handler)


def leash(death_signal: str, *more: str) -> list[str]:
    """What goes before a command so that it gets `death_signal` when the tool itself is killed. Linux only."""
    return ["setpriv", *more, "--pdeathsig", death_signal, "--"] if shutil.which("setpriv") else []


def children_of(pid: int) -> list[int]:
    try:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except FileNotFoundError:  # no such kernel, or no such process any more: then there are none
        if Path("/proc/self").exists():
            return []
        found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
        listed = found.stdout
    return [int(child) for child in listed.split()]


def kill(pid: int) -> bool:
    """SIGKILL; False where it is gone already."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def environment(database_url: str, instance: Path, *, workers: int | None = None) -> dict[str, str]:
    """What a server needs; `workers` None leaves it to the app's own default."""
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("HUIMIN_", "PYTEST")) and n != "WORKERS"}
    instance.mkdir(parents=True, exist_ok=True)
    return {**kept, "DATABASE_URL": database_url, "HUIMIN_ENV": "test", "HUIMIN_INSTANCE": str(instance),
            "HOST": "127.0.0.1", "PORT": str(free_port()), "PYTHONPATH": str(ROOT),
            **({"WORKERS": str(workers)} if workers else {})}


def manage(environ: Mapping[str, str], *arguments: str) -> None:
    """bin/manage's command line; RuntimeError with its words where it fails."""
    done = subprocess.run([sys.executable, "-m", "facilities.cli", *arguments], cwd=ROOT, env=dict(environ),
                          check=False, capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise RuntimeError(f"bin/manage {' '.join(arguments)} failed: {done.stderr or done.stdout}")


class Server:
    """A gunicorn that runs `python -m MODULE ARGUMENTS`; it can be killed and started again on the same port."""

    def __init__(self, environ: Mapping[str, str], log: Path, command: Sequence[str] = ("facilities.cli", "serve"),
                 ) -> None:
        self.environment, self.log, self.command = dict(environ), log, command
        self.port = int(environ["PORT"])
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [*leash("TERM"), sys.executable, "-m", *self.command], cwd=ROOT, env=self.environment,
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)

    def is_ready(self) -> bool:
        return self.ask("/readyz")[0] == 200

    def ask(self, path: str) -> tuple[int, bytes]:
        """GET; status 0 where nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return 0, b""
        finally:
            connection.close()

    def wait(self) -> None:
        """Until it answers; RuntimeError with its log where it does not."""
        deadline = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < deadline:
            if self.process is None or self.process.poll() is not None:
                break
            if self.is_ready():
                return
            time.sleep(0.05)
        raise RuntimeError(f"{' '.join(self.command)} does not answer:\n{self.words()}")

    def words(self, last: int = 4000) -> str:
        """The end of its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-last:] if self.log.exists() else ""

    def workers(self) -> list[int]:
        return children_of(self.process.pid) if self.process is not None else []

    def kill(self) -> None:
        """Master and workers at once, as a machine does that loses its power."""
        if self.process is None:
            return
        workers = self.workers()
        self.process.kill()
        for worker in workers:  # orphans would hold the port for a second
            kill(worker)
        self.process.wait()
        self.process = None

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            self.kill()
        self.process = None
