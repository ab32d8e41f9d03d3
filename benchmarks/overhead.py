"""What the engine costs: its rate of calls against a bare loop's, which makes the same calls and keeps no ledger.

An account without limits answers each call after 100 ms, and a refusal counts at once. All have as many threads in all:
the bare loop and the embedded runtime in one process, Celery's workers on PostgreSQL and Redis in PROCESSES.
"""

from __future__ import annotations

import base64
import contextlib
import secrets
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.cloud import Limits
from benchmarks.cloud_keys import Estate, OnWorld, embedded, estate, proven, ref_of, stolen, wait_until_idle
from benchmarks.cloud_provider import CloudWorld
from benchmarks.cloud_worker import workers
from benchmarks.population import Planted
from rotator.bootstrap import Rotator
from rotator.credential import Secret
from rotator.ports.provider import Answer, State
from tests.servers.postgres import postgres
from tests.servers.redis import redis_server
from workers import beat
from workers.app import make

THREADS = 32
PROCESSES = 2
KEYS = 1_000
TARGET = {"SQLite": 0.9, "PostgreSQL": 0.8}


def measure(keys: int = KEYS) -> list[dict[str, object]]:
    """Return the rotator's rate over the bare loop's, for either ledger; the loop runs before and after them."""
    with tempfile.TemporaryDirectory() as name, estate(Path(name), Limits(credentials=4 * keys)) as cloud:
        shares = [cloud.keys[start : start + keys] for start in range(0, 4 * keys, keys)]
        loops = [_rate(cloud, lambda: _bare(cloud, shares[0]), "bare loop")]
        rates = {}
        with _embedded(Path(name), cloud) as parts:
            rates["SQLite"] = _ours(cloud, parts, shares[1], "SQLite, embedded")
        with _production(Path(name), cloud) as parts:
            rates["PostgreSQL"] = _ours(cloud, parts, shares[2], f"PostgreSQL, {PROCESSES} workers")
        loops.append(_rate(cloud, lambda: _bare(cloud, shares[3]), "bare loop"))
    return [
        {
            "name": f"calls a second with {ledger} / bare loop",
            "value": round(rate / statistics.mean(loops), 3),
            "unit": "ratio",
            "target": TARGET[ledger],
            "better": "higher",
        }
        for ledger, rate in rates.items()
    ]


def _rate(cloud: Estate, work: Callable[[], None], what: str) -> float:
    """Return the calls a second that reached the cloud meanwhile."""
    before, start = sum(cloud.told()[0].values()), time.perf_counter()
    work()
    seconds, calls = time.perf_counter() - start, sum(cloud.told()[0].values()) - before
    print(f"  {what:24} {seconds:6.2f} s, {calls:,} calls, {calls / seconds:6.1f} calls/s", flush=True)
    return calls / seconds


def _ours(cloud: Estate, parts: Rotator, keys: Sequence[Planted], what: str) -> float:
    incident, prepared = stolen(parts, keys)

    def work() -> None:
        parts.enrolment.approve(incident, prepared.plan.digest, by="benchmark")
        wait_until_idle(parts)

    rate = _rate(cloud, work, what)
    proven(parts, incident)
    return rate


def _bare(cloud: Estate, keys: Sequence[Planted]) -> None:
    """Contain and knock, without a ledger."""
    world = cloud.world()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda key: _bare_one(world, key), keys))


def _bare_one(world: CloudWorld, key: Planted) -> None:
    ref = ref_of(key)
    provider, secret = world.provider(ref), Secret(key.secret)
    alive = provider.inspect(ref).state is State.ACTIVE
    provider.preserve(ref)
    accepted = provider.verify(ref, secret).answer is Answer.ACCEPTED
    provider.suspend(ref)
    refused = provider.verify(ref, secret).answer is Answer.REJECTED
    if not (alive and accepted and refused):
        raise RuntimeError(f"{key.id} did not die of it")


@contextlib.contextmanager
def _embedded(folder: Path, cloud: Estate) -> Iterator[Rotator]:
    parts = OnWorld(cloud.settings(folder / "embedded", THREADS), cloud.world())
    with embedded(parts):
        yield parts
    parts.database.close()


@contextlib.contextmanager
def _production(folder: Path, cloud: Estate) -> Iterator[Rotator]:
    """Run PostgreSQL, Redis, the dispatcher and worker processes that have THREADS threads in all."""
    with postgres() as database_url, redis_server(folder / "redis") as redis:
        (folder / "seal.key").write_text(base64.b64encode(secrets.token_bytes(32)).decode())
        settings = cloud.settings(
            folder / "production",
            THREADS // PROCESSES,
            database_url=database_url,
            broker_url=redis.url,
            seal_key=f"file:{folder / 'seal.key'}",
        )
        parts = OnWorld(settings, cloud.world())
        parts.database.migrate()
        stop = threading.Event()
        with workers(folder, settings, cloud, PROCESSES):
            dispatching = beat.dispatcher(make(parts), parts.due)
            ticking = threading.Thread(target=beat.run, args=(dispatching, stop), kwargs={"every_s": 0.1})
            ticking.start()
            try:
                yield parts
            finally:
                stop.set()
                ticking.join()
                parts.database.close()
