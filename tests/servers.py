"""The real server, as it is run in production, in processes of its own and on loopback."""

import contextlib
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from config import ROOT
from tests import commands

STARTS_WITHIN = 60.0


@dataclass(frozen=True)
class Server:
    address: str
    environment: dict[str, str]

    def manage(self, *arguments: str) -> str:
        """Run bin/manage's command line in the server's environment; its standard output."""
        done = commands.run(*arguments, environment=self.environment)
        done.check_returncode()
        return done.stdout


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(
    database_url: str,
    instance: Path,
    *,
    workers: int = 2,
    prepare: Callable[[Server], object] | None = None,
    **variables: str,
) -> Iterator[Server]:
    """Start, wait until it answers, hand over, stop by its own process id."""
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("HUIMIN_", "PYTEST"))},
        "DATABASE_URL": database_url,
        "HUIMIN_ENV": "test",
        "HUIMIN_INSTANCE": str(instance),
        "PORT": str(port),
        "WORKERS": str(workers),
        "PYTHONPATH": str(ROOT),
        **variables,
    }
    server = Server(f"http://127.0.0.1:{port}", environment)
    if prepare is not None:
        prepare(server)
    log = instance / "server.log"
    process = commands.start("serve", environment=environment, log=log)
    try:
        _wait(server.address, process, log)
        yield server
    finally:
        process.send_signal(signal.SIGQUIT)  # at once: nobody waits for an answer any more
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=20)


def _wait(address: str, process: commands.Running, log: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server did not start: {log.read_text()}")
        with (
            contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError),
            urllib.request.urlopen(f"{address}/readyz", timeout=2),  # noqa: S310 - our own address
        ):
            return
        time.sleep(0.02)
    raise RuntimeError(f"the server did not answer: {log.read_text()}")
