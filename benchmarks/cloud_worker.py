"""A Celery worker in a process of its own, as `rotator worker` runs one, whose outside is the simulated cloud."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.cloud_keys import Estate, OnWorld
from rotator.practice.process import running
from rotator.settings.configuration import Settings
from workers.app import LANES, make, quietly


@contextlib.contextmanager
def workers(folder: Path, settings: Settings, cloud: Estate, processes: int) -> Iterator[None]:
    """Run so many of them until the block ends; each has the settings' `concurrency` of threads."""
    given, where = folder / "settings.json", folder / "cloud.json"
    given.write_text(settings.model_dump_json(exclude={"folder"}, exclude_none=True))
    where.write_text(cloud.text())
    with contextlib.ExitStack() as ending:
        for number in range(processes):
            log = folder / f"worker-{number}.log"
            command = [sys.executable, "-m", "benchmarks.cloud_worker", str(given), str(where)]
            ready = lambda log=log: "worker up" in log.read_text()  # noqa: E731
            ending.enter_context(running(command, ready=ready, log=log))
        yield


def main(given: Path, where: Path) -> None:
    """Take messages until ended."""
    settings = Settings(folder=given.parent, **Settings.model_validate_json(given.read_text()).model_dump())
    parts = OnWorld(settings, Estate.of(where.read_text()).world())
    parts.engine  # noqa: B018 - made here, before threads could make it twice
    app = make(parts)
    app.set_default()
    quietly(app, LANES, lambda: print("worker up", flush=True)).start()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
