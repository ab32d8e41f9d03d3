"""Group commit: writers who wait for each other share one transaction, and its one wait for the disk.

Whoever comes while another writes joins the queue; the first of them to get its turn writes for all. Each returns only
when its own work is durable, and one whose work fails takes nobody down with it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Generic, TypeVar, cast

from sqlalchemy import Connection

Answer = TypeVar("Answer")


class _Job(Generic[Answer]):
    """One writer's work, and what became of it."""

    def __init__(self, work: Callable[[Connection], Answer]) -> None:
        self.work = work
        self.done = False
        self.answer: Answer | None = None
        self.error: Exception | None = None


class GroupCommit:
    """Share the transactions that `begin` opens, commits and, on an exception, rolls back."""

    def __init__(self, begin: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._begin = begin
        self._turn = threading.Lock()
        self._queue: deque[_Job[object]] = deque()

    def do(self, work: Callable[[Connection], Answer]) -> Answer:
        """Return what `work` answers, once it is durable; raise what it raises, with nothing of it written.

        It may be done twice, the first time for nothing, so it must change nothing but the database.
        """
        job = _Job(work)
        self._queue.append(cast(_Job[object], job))
        with self._turn:
            if not job.done:
                try:
                    self._write_for_all()
                except BaseException:  # this thread is being stopped: the others' work waits for who is next
                    self._queue.remove(cast(_Job[object], job))
                    raise
        if job.error is not None:
            raise job.error
        return cast(Answer, job.answer)

    def _write_for_all(self) -> None:
        # Others append meanwhile; only who has the turn takes away.
        jobs = [self._queue[place] for place in range(len(self._queue))]
        try:
            self._write(jobs)
        except Exception:  # noqa: BLE001 - told below to the one it belongs to
            for job in jobs:
                try:
                    self._write([job])
                except Exception as error:  # noqa: BLE001 - raised again by the job's own thread
                    job.error = error
                    job.done = True
        while self._queue and self._queue[0].done:
            self._queue.popleft()

    def _write(self, jobs: list[_Job[object]]) -> None:
        with self._begin() as connection:
            for job in jobs:
                job.answer = job.work(connection)
        for job in jobs:
            job.done = True
