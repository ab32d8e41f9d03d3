"""Whether the service lives and is ready, and how it stands: for whoever asks, and as often as they like.

So all who ask hold one thread for each question, and what the ledger counts is counted once a second at most: acts and
answers need the threads.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Response
from sqlalchemy.exc import SQLAlchemyError

from rotator.api import gauges
from rotator.api.counts import Counts
from rotator.bootstrap import Rotator
from rotator.ledger.health import beat

COUNTED_S = 1.0
Answer = TypeVar("Answer")


def routes(parts: Rotator, *counts: Counts) -> APIRouter:
    """Return what may be asked; `counts` are those of this process."""
    router, ledger, figures = APIRouter(), _One(), _Figures(parts)

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Say that the process lives."""
        return {"status": "ok"}

    @router.get("/readyz")
    async def readyz(response: Response) -> dict[str, str]:
        """Say whether the ledger answers; `warning` is what else somebody should see to, where there is anything."""
        try:
            warning = await ledger.asked(lambda: _warning(parts))
        except SQLAlchemyError:
            response.status_code = 503
            return {"status": "the ledger does not answer"}
        return {"status": "ok"} | ({"warning": warning} if warning else {})

    @router.get("/metrics", response_class=Response)
    async def metrics() -> Response:
        """Return counts in the Prometheus text format."""
        lines = [*await figures.lines(), *(line for each in counts for line in each.lines())]
        lines += ["# TYPE rotator_time_seconds gauge", f"rotator_time_seconds {time.time():.3f}"]
        return Response("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")

    return router


def _warning(parts: Rotator) -> str:
    """Ask the ledger; say what is amiss that keeps nobody from work. Whoever asks is a stranger: it names nobody."""
    beat(parts.database)
    witnesses = parts.witnesses.standing(parts.settings.evidence.witnesses)
    failing = sum(each.failing_since is not None or each.forked is not None for each in witnesses)
    return f"{failing} of {len(witnesses)} witnesses of the evidence fail: ask the doctor" if failing else ""


class _One:
    """Work beside the loop, of which one is done at a time; who waits holds no thread."""

    def __init__(self) -> None:
        self._place = CapacityLimiter(1)

    async def asked(self, work: Callable[[], Answer]) -> Answer:
        return await to_thread.run_sync(work, limiter=self._place)


class _Figures:
    """What the ledger counts, kept for a moment: who waited while another asked is told the same."""

    def __init__(self, parts: Rotator) -> None:
        self._parts, self._one = parts, _One()
        self._at, self._lines = float("-inf"), list[str]()

    async def lines(self) -> list[str]:
        return await self._one.asked(self._fresh)

    def _fresh(self) -> list[str]:
        if time.monotonic() - self._at >= COUNTED_S:
            self._lines, self._at = self._counted(), time.monotonic()
        return self._lines

    def _counted(self) -> list[str]:
        credentials = [
            f'rotator_credentials{{kind="{kind}",evidence="{evidence}"}} {count}'
            for kind, evidence, count in self._parts.reading.totals()
        ]
        return ["# TYPE rotator_credentials gauge", *credentials, *gauges.lines(self._parts)]
