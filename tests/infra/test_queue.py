"""The queue of jobs, which may be lost."""

from pathlib import Path

from config import Settings
from facilities.infra.queue import make_queue


def test_a_file_that_is_no_database_is_made_anew(tmp_path: Path) -> None:
    settings = Settings.read({"HUIMIN_ENV": "test", "HUIMIN_INSTANCE": str(tmp_path)})
    (tmp_path / "jobs.sqlite3").write_bytes(b"no database" * 1000)
    queue = make_queue(settings)
    queue.task(name="anything")(print).schedule(("now",), delay=0)
    assert queue.pending_count() == 1
    queue.storage.close()
