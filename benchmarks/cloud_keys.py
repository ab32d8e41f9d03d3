"""Where simulated keys are stolen: the cloud's process, a rotator on it, and an incident of all its keys."""

from __future__ import annotations

import contextlib
import functools
import json
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sqlalchemy import and_, select

from benchmarks.cloud import Limits
from benchmarks.cloud_provider import KIND, CloudWorld, Lines, SimulatedKey
from benchmarks.population import Planted, accounts, plant
from rotator.bootstrap import Rotator
from rotator.cli.runtime import run_embedded
from rotator.credential import CredentialRef, Leaked, Secret
from rotator.flow.exposure import Exposure
from rotator.flow.forecast import forecast
from rotator.flow.incident import Severity
from rotator.flow.plan import make
from rotator.flow.playbook_words import Strategy
from rotator.flow.scope import Custody, Scoped
from rotator.ledger import tables
from rotator.ledger.moving import SOON_S
from rotator.outside import Outside
from rotator.practice.process import free_port, listening, running
from rotator.response import Prepared, declare
from rotator.settings.configuration import Settings

PLAYBOOKS = Path(__file__).with_name("playbooks")
POLL_S = 0.1


class OnWorld(Rotator):
    """A rotator whose outside is the benchmark's own."""

    def __init__(self, settings: Settings, world: object) -> None:
        super().__init__(settings)
        self._world = world

    @functools.cached_property
    def outside(self) -> Outside:
        """Return the benchmark's world: it has what the engine asks of one."""
        return self._world


@dataclass(frozen=True)
class Estate:
    """A running cloud: its port, its limits, and how long the rotator is told that a refusal must hold."""

    port: int
    limits: Limits
    settle_s: float

    def text(self) -> str:
        """Return it as another process reads it."""
        return json.dumps([self.port, self.limits.text(), self.settle_s])

    @classmethod
    def of(cls, text: str) -> Self:
        """Return the running cloud that another process told of."""
        port, limits, settle_s = json.loads(text)
        return cls(port, Limits(**json.loads(limits)), settle_s)

    @functools.cached_property
    def keys(self) -> list[Planted]:
        """Return its keys, all of them alive at first."""
        return plant(self.limits.credentials, self.limits.accounts, self.limits.seed)

    @property
    def accounts(self) -> list[str]:
        """Return the accounts' names."""
        return accounts(self.limits.accounts)

    def world(self) -> CloudWorld:
        """Return the engine's outside, with connections of its own."""
        return CloudWorld(self.port, self.accounts, self.limits.propagation_s, self.settle_s)

    def told(self) -> tuple[dict[str, int], dict[str, int]]:
        """Return the calls by account until now, and those of them that were over the limit."""
        _, body = Lines(self.port).call("GET", "/told")
        told = json.loads(body)
        return told["calls"], told["over"]

    def settings(self, folder: Path, concurrency: int, **more: object) -> Settings:
        """Return the configuration: each account a connection, with the budget that the account really has."""
        budget = {"calls_per_second": self.limits.rate, "burst": self.limits.burst} if self.limits.rate else None
        return settings(folder, self.accounts, concurrency, budget, **more)


def settings(
    folder: Path, connections: Sequence[str], concurrency: int, budget: object = None, **more: object
) -> Settings:
    """Return a configuration with a ledger in `folder`, unless `more` names another."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = [
        {
            "name": each,
            "family": SimulatedKey.family,
            "kinds": [KIND],
            "endpoint_url": "http://127.0.0.1",
            "budget": budget,
        }
        for each in connections
    ]
    given = {"folder": folder, "data_dir": folder, "playbooks": [PLAYBOOKS], "concurrency": concurrency}
    return Settings(**given, connections=entries, **more)


@contextlib.contextmanager
def estate(folder: Path, limits: Limits, settle_s: float = 0.0) -> Iterator[Estate]:
    """Run the cloud until the block ends."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.cloud", str(port), limits.text()]
    with running(command, ready=lambda: listening(port), log=folder / f"cloud-{port}.log"):
        yield Estate(port, limits, settle_s)


def prepare(parts: Rotator, keys: Sequence[Planted]) -> Prepared:
    """Plan to revoke all, as if triage had named each."""
    scoped = tuple(map(_scoped, keys))

    def costs(kind: str, connection: str) -> Mapping[str, int]:
        return parts.outside.provider_of(kind, connection).calls

    plan = make(scoped, (), parts.playbooks, {}, wanted=Strategy.REVOKE_ONLY, costs=costs)
    return Prepared(plan, scoped, forecast(plan, parts.limits, parts.account_of))


def stolen(parts: Rotator, keys: Sequence[Planted]) -> tuple[str, Prepared]:
    """Declare an incident of all keys; return its id and what waits for approval."""
    prepared = prepare(parts, keys)
    return declare(parts, prepared, title="measured", severity=Severity.HIGH, detected_at=time.time()).id, prepared


@contextlib.contextmanager
def embedded(parts: Rotator) -> Iterator[None]:
    """Keep the embedded runtime up, as `rotator up` does."""
    started, stop = threading.Event(), threading.Event()
    runtime = threading.Thread(
        target=run_embedded, args=(parts, stop), kwargs={"until_idle": False, "started": started.set}
    )
    runtime.start()
    try:
        started.wait()
        yield
    finally:
        stop.set()
        runtime.join()


def wait_until_idle(parts: Rotator, within_s: float = 1_800.0) -> None:
    """Return when nothing is at work or due soon. Raises RuntimeError when that takes longer than `within_s`."""
    until = time.monotonic() + within_s
    while parts.due.busy_until(SOON_S):
        if time.monotonic() > until:
            raise RuntimeError(f"the rotator was still at work after {within_s:g} s")
        time.sleep(POLL_S)


def proven(parts: Rotator, incident: str) -> dict[str, float]:
    """Return when each key's proof was established, in epoch seconds. Raises RuntimeError when one is not proven."""
    run, step = tables.run, tables.step
    query = (
        select(run.c.credential, run.c.evidence, step.c.settled_at)
        .join(step, and_(step.c.run == run.c.id, step.c.name == "refused"))
        .where(run.c.incident == incident)
    )
    with parts.database.read() as connection:
        found = connection.execute(query).all()
    alive = [row.credential for row in found if row.evidence != "proven"]
    if alive:
        raise RuntimeError(f"{len(alive)} of {len(found)} keys are not proven dead, {alive[0]} among them")
    return {row.credential: row.settled_at for row in found}


def ref_of(key: Planted) -> CredentialRef:
    """Name a key."""
    return CredentialRef(KIND, key.account, key.owner, key.id)


def _scoped(key: Planted) -> Scoped:
    leaked = Leaked(id=key.id, secret=Secret(key.secret))
    return Scoped(
        ref=ref_of(key),
        kind=KIND,
        leaked=leaked,
        exposures=(Exposure("list", KIND, leaked, path="stolen"),),
        custody=Custody(match={"id": key.id}, criticality=key.criticality, reads=tuple(f"{to}:*" for to in key.reads)),
        why="planted",
    )
