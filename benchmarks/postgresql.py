"""A PostgreSQL that keeps its promises: as bin/postgresql.sh's, but with fsync, because what is measured and what is
killed here is the commit."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from benchmarks.processes import STARTS_WITHIN, STOPS_WITHIN, leash
from config import ROOT
from tests.servers import free_port

SAFE = ("fsync", "synchronous_commit", "full_page_writes")


def programs() -> Path:
    """Where initdb and postgres are; bin/postgresql.sh knows the places."""
    shell = ". bin/lib.sh && . bin/postgresql.sh && postgresql_bin"
    asked = subprocess.run(["bash", "-c", shell], cwd=ROOT, check=True, capture_output=True, text=True)
    found = asked.stdout.strip()
    if not found:
        raise RuntimeError("PostgreSQL 15 or newer is needed. On Debian and Ubuntu: apt install postgresql")
    return Path(found)


def _owner() -> pwd.struct_passwd | None:
    """Whom it runs as: it refuses to be root. None: as ourselves."""
    if os.getuid() != 0:
        return None
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("postgres")
    return pwd.getpwnam("nobody")


class Cluster:
    """One server in a folder of its own, our direct child, so that its id is known and it can be killed."""

    def __init__(self) -> None:
        self.programs, self.owner, self.port = programs(), _owner(), free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="huimin-postgresql."))
        self.log = self.folder / "server.log"
        self.process: subprocess.Popen[bytes] | None = None
        if self.owner is not None:
            shutil.chown(self.folder, self.owner.pw_uid, self.owner.pw_gid)
        made = subprocess.run(
            [*self._as_owner(), str(self.programs / "initdb"), f"--pgdata={self.folder / 'data'}", "--username=huimin",
             "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"],
            cwd=self.folder, capture_output=True, text=True, check=False)
        if made.returncode:
            self.remove()
            raise RuntimeError(f"initdb failed: {made.stderr}")

    def _as_owner(self) -> list[str]:
        if self.owner is None:
            return leash("QUIT")
        return leash("QUIT", f"--reuid={self.owner.pw_uid}", f"--regid={self.owner.pw_gid}", "--clear-groups")

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://huimin@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Until it answers. After a kill, processes of the old one may hold its memory for a moment: try again."""
        deadline = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < deadline:
            if self.process is None or self.process.poll() is not None:
                self._launch()
            if self._answers():
                return
            time.sleep(0.1)
        raise RuntimeError(f"PostgreSQL does not answer: {self.log.read_text(encoding='utf-8')[-2000:]}")

    def _launch(self) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [*self._as_owner(), str(self.programs / "postgres"), "-D", str(self.folder / "data"),
                 "-p", str(self.port), "-h", "127.0.0.1", "-k", str(self.folder), "-c", "max_connections=200"],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)

    def _answers(self) -> bool:
        try:
            with _connect(self.url, timeout=2) as connection:
                connection.execute(b"SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def backends(self) -> list[int]:
        """Process ids that serve clients; empty where it does not answer now."""
        try:
            with _connect(self.url, timeout=2) as connection:
                rows = connection.execute(b"SELECT pid FROM pg_stat_activity "
                                          b"WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()")
                return [int(pid) for (pid,) in rows]
        except psycopg.OperationalError:
            return []

    def kill(self) -> None:
        """The postmaster alone; what it started finds out and ends by itself."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self) -> None:
        if self.process is None:
            return
        # 'immediate': nobody needs the data any more, and 'fast' in the middle of a recovery was seen to hang
        self.process.send_signal(signal.SIGQUIT)
        try:
            self.process.wait(timeout=STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            self.kill()
        self.process = None

    def remove(self) -> None:
        """Stop, and leave nothing."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def _connect(url: str, timeout: int = 10) -> "psycopg.Connection[tuple[object, ...]]":
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(address, autocommit=True, connect_timeout=timeout)


def create_database(url: str, name: str, template: str = "template1") -> str:
    """A new database at the server `url`, empty or as its template, in place of one that has the name; its address."""
    with _connect(url) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def drop_database(url: str, name: str) -> None:
    with _connect(url) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())


def unsafe_settings(url: str) -> list[str]:
    """What is switched off that a commit's survival needs."""
    with _connect(url) as connection:
        return [name for name in SAFE if connection.execute(f"SHOW {name}".encode()).fetchone() != ("on",)]


@contextlib.contextmanager
def server() -> Iterator[str]:
    """The address of POSTGRESQL_URL's server where that is set, else of one of our own, stopped afterwards."""
    given = os.environ.get("POSTGRESQL_URL")
    if given:
        if unsafe := unsafe_settings(given):
            raise RuntimeError(f"POSTGRESQL_URL's server has {', '.join(unsafe)} switched off: its figures mean "
                               "nothing. Unset POSTGRESQL_URL, and a server is started for the purpose.")
        yield given
        return
    cluster = Cluster()
    try:
        cluster.start()
        yield cluster.url
    finally:
        cluster.remove()
