"""bin/manage's command line as processes of their own, which need not import the app anew.

Importing costs two seconds, a hundred times over: one process a test worker imports, waits, and is forked for each
command. What comes after is what `python -m facilities.cli` does: its arguments, its environment, its streams, an exit
code, signals. That it starts from nothing as well is tried in tests/test_cli.py.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO, cast

from config import ROOT
from facilities.cli import main
from tests.templates import keep_compiled

keep_compiled()
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload([__name__])


class Running:
    """A command that was started; where its end is awaited in vain, that is an error."""

    def __init__(self, arguments: tuple[str, ...], environment: Mapping[str, str], *streams: Path) -> None:
        self._process = _forks.Process(target=_become, args=(arguments, dict(environment), *streams), daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float) -> int:
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired("facilities.cli", timeout)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()


def start(*arguments: str, environment: Mapping[str, str], log: Path) -> Running:
    """A command that goes on; what it says is written to the log."""
    return Running(arguments, environment, Path(os.devnull), log, log)


def run(*arguments: str, environment: Mapping[str, str], typed: str = "") -> "subprocess.CompletedProcess[str]":
    """A command, to its end."""
    with tempfile.TemporaryDirectory() as folder:
        given, out, err = (Path(folder, name) for name in ("in", "out", "err"))
        given.write_text(typed, encoding="utf-8")
        running = Running(arguments, environment, given, out, err)
        try:
            code = running.wait(timeout=300)
        finally:
            running.kill()
        said = (out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8"))
    return subprocess.CompletedProcess(arguments, code, *said)


def _become(arguments: tuple[str, ...], environment: dict[str, str], given: Path, out: Path, err: Path) -> None:
    """In the fork: be the command."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    for number, path, flags in ((0, given, os.O_RDONLY), (1, out, os.O_WRONLY), (2, err, os.O_WRONLY)):
        opened = os.open(path, flags | (os.O_CREAT | os.O_APPEND if number else 0), 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin, sys.stdout, sys.stderr = _stream(0, "r"), _stream(1, "w"), _stream(2, "w", buffering=1)
    main(arguments, prog_name="bin/manage")


def _stream(number: int, mode: str, buffering: int = -1) -> TextIO:
    """Open for as long as the process lives, so that a traceback still has its way out."""
    return cast("TextIO", open(number, mode, buffering, encoding="utf-8", closefd=False))
