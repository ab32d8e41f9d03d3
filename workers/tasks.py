"""The tasks. A message is a branch's id: emptied queues lose nothing, and one delivered twice does nothing."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from rotator.logs import about_branch


@shared_task(name="rotator.advance", bind=True)  # type: ignore[untyped-decorator]
def advance(self: Any, branch: str) -> None:
    """Advance one branch as far as it goes now."""
    with about_branch(branch):
        self.app.rotator.engine.advance(branch)
