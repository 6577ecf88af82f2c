"""The worker: Huey plans the runs of the coming minute, and carries each out when it is its time."""

import logging
import os
import signal
from threading import Event, Thread

from flask import Flask
from huey import crontab
from huey.consumer import Consumer

from config import Settings
from facilities.background import jobs, run
from facilities.infra.queue import make_queue
from facilities.kernel import clock

AHEAD = 60.0  # seconds: Huey asks once a minute
THREADS = 6  # a provider that hangs holds one of them for each channel; the others go on
PATIENCE = 20.0  # seconds for what runs to end; what is cut off then is rolled back, and done by the next run
OFTEN = 1.0  # seconds between looks into the queue


def work(app: Flask, *, while_parent_lives: bool = False) -> None:
    """Until SIGTERM or SIGINT, which let what is running come to its end."""
    settings: Settings = app.config["HUIMIN_SETTINGS"]
    logging.getLogger("huey").setLevel(logging.WARNING)
    queue, known = make_queue(settings), {job.name: job for job in jobs(settings)}

    def run_job(name: str, slot: int) -> None:
        if name in known:  # another version of the app may have planned it
            with app.app_context():
                run(known[name], slot)

    task = queue.task(name="run_job")(run_job)

    def plan() -> None:
        """Each machine plans; a run that is planned several times is carried out once."""
        now = clock.machine_time()
        for job in known.values():
            for slot in range(job.slot(now), job.slot(now) + 1 + int(AHEAD // job.every.total_seconds())):
                task.schedule((job.name, slot), delay=max(0.0, (job.starts(slot) - now).total_seconds()))

    queue.periodic_task(crontab(), name="plan")(plan)
    plan()  # a worker that starts does not wait for the minute
    if while_parent_lives:
        Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    _Consumer(queue, workers=THREADS, initial_delay=OFTEN, max_delay=OFTEN, backoff=1,
              shutdown_timeout=PATIENCE).run()


class _Consumer(Consumer):
    """Huey's own would drop what runs at one of the two signals, and at SIGHUP start again as what it is not."""

    def _set_signal_handlers(self) -> None:
        self._signal_actions = dict.fromkeys((signal.SIGTERM, signal.SIGINT), (False, True))
        super()._set_signal_handlers()


def _end_with_parent(parent: int) -> None:
    nobody_sets_it = Event()
    while os.getppid() == parent:
        nobody_sets_it.wait(1)
    os.kill(os.getpid(), signal.SIGTERM)
