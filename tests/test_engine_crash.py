"""Whatever is lost at whatever moment, the world ends as it should: workers killed, answers lost, servers down.

Every path is walked once to number its exchanges and writes, then again and again with one of them going wrong. A
crash is tried after each thing that changes the ledger or the world: between two of these nothing is different.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rotator.credential import Secret
from rotator.errors import Unavailable, Uncertain
from rotator.flow.playbook import Strategy
from rotator.ports import Place
from tests.fakes.company import KINDS, Company, founded
from tests.fakes.deployment import PLAYBOOKS, Deployment, broken_chains, emptied, scoped, sqlite
from tests.fakes.killed_worker import begin, reopened

PATHS = [(kind, strategy) for kind in KINDS for strategy in PLAYBOOKS[kind].strategies]
REPLACING = {Strategy.CONTAIN_FIRST, Strategy.REPLACE_FIRST}
ROOT = Path(__file__).parents[1]
LEASE_S = 60.0
TWO = ("kv", "kv-2")


class Killed(BaseException):
    """The worker is gone, as by SIGKILL: nothing of it runs any more."""


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    database = sqlite(tmp_path_factory.mktemp("ledger") / "ledger.db")
    yield database
    database.close()


def trials(
    ledger, tmp_path, kind: str, strategy: Strategy, places=("kv",)
) -> Iterator[tuple[Company, Deployment, object]]:
    """Yield the same beginning again and again, on the same ledger, emptied."""
    while True:
        company, deployment = founded(tmp_path, database=emptied(ledger))
        stolen, secret = company.stolen(kind, places=places)
        deployment.start([stolen], wanted=strategy)
        yield company, deployment, (stolen, secret)


def wrong(company: Company, deployment: Deployment, stolen, secret, strategy: Strategy) -> list[str]:
    """Return everything that is not as it should be in the end; the world is asked, not only the ledger."""
    found = broken_chains(deployment)
    found += [f"{name} is {state}" for name, state in deployment.steps().items() if state != "done"]
    found += ["a thief's session lives"] * company.sessions(stolen.ref)
    found += [f"a reservation stays: {row}" for row in deployment.rows("mint")]
    if strategy is not Strategy.CUT_ONLY:
        found += not_dead(company, deployment, stolen, secret)
    if strategy in REPLACING:
        found += not_replaced(company, deployment, stolen)
    return found


def not_dead(company: Company, deployment: Deployment, stolen, secret) -> Iterator[str]:
    evidence = deployment.record().runs[0].run.evidence
    if company.opens(stolen.ref, secret):
        yield "the stolen one still opens doors"
    if evidence != "proven":
        yield f"its death is {evidence}"
    if deployment.rows("sealed"):
        yield "the stolen secret is still kept"


def not_replaced(company: Company, deployment: Deployment, stolen) -> Iterator[str]:
    replacement = deployment.record().runs[0].run.replacement
    if company.living(stolen.ref) != {replacement}:
        yield f"{company.living(stolen.ref)} live, {replacement} should"
    for place in stolen.custody.deliver:
        ref, new = company.delivered(stolen.ref, place)
        if ref.id != replacement or not company.opens(ref, new):
            yield f"{place} holds {ref.id}"
    if set(company.holders().values()) != {replacement}:
        yield f"consumers hold {company.holders()}"


def at_every(beginnings, strategy: Strategy, meets: Callable[[str, str, bool], bool], spoil) -> int:
    """Spoil the n-th thing that `meets` tells of, for every n; return how many there were."""
    for number, (company, deployment, (stolen, secret)) in enumerate(beginnings, start=1):
        seen: list[str] = []

        def meet(phase: str, what: str, changes: bool, seen=seen, number=number) -> None:
            if meets(phase, what, changes):
                seen.append(what)
                if len(seen) == number:
                    spoil(changes)

        company.world.meet = meet
        try:
            deployment.rest()
        except Killed:
            company.world.wait_until(company.world.now() + LEASE_S)
            deployment.rest(deployment.recover())
        if len(seen) < number:
            return number - 1
        assert (seen[number - 1], number, wrong(company, deployment, stolen, secret, strategy)) == (
            seen[number - 1],
            number,
            [],
        )
    raise AssertionError


@pytest.mark.parametrize(("kind", "strategy"), PATHS)
def test_a_worker_killed_at_any_moment_leaves_the_world_as_it_should_be(ledger, tmp_path, kind, strategy):
    def kill(_changes: bool) -> None:
        raise Killed

    def changes_something(phase: str, _what: str, changes: bool) -> bool:
        return phase == "after" and changes

    assert at_every(trials(ledger, tmp_path, kind, strategy), strategy, changes_something, kill) >= 7


@pytest.mark.parametrize(("kind", "strategy"), PATHS)
def test_an_answer_lost_at_any_call_leaves_the_world_as_it_should_be(ledger, tmp_path, kind, strategy):
    def lose(changes: bool) -> None:
        raise (Uncertain if changes else Unavailable)("lost")

    def calls(phase: str, what: str, _changes: bool) -> bool:
        return phase == "after" and not what.startswith("ledger")

    assert at_every(trials(ledger, tmp_path, kind, strategy, TWO), strategy, calls, lose) >= 5


@pytest.mark.parametrize(("kind", "strategy"), PATHS)
def test_a_server_down_at_any_call_leaves_the_world_as_it_should_be(ledger, tmp_path, kind, strategy):
    def refuse(_changes: bool) -> None:
        raise Unavailable("down")

    def calls(phase: str, what: str, _changes: bool) -> bool:
        return phase == "before" and not what.startswith("ledger")

    assert at_every(trials(ledger, tmp_path, kind, strategy, TWO), strategy, calls, refuse) >= 5


SAMPLE = 5
SEED = 20261122


@pytest.mark.parametrize("kind", KINDS)
def test_processes_killed_by_the_system_again_and_again_leave_the_world_as_it_should_be(tmp_path, kind):
    """Real processes on files; each is killed after a change that a seeded die picks, the last lives."""
    begin(tmp_path, kind, Strategy.CONTAIN_FIRST)
    die = random.Random(f"{SEED}-{kind}")
    killed = [killed_after(tmp_path, die.randint(1, 9)) for _ in range(SAMPLE)]
    assert killed == [-signal.SIGKILL] * SAMPLE
    assert killed_after(tmp_path, 0) == 0
    company, deployment = reopened(tmp_path)
    owner, name, material = (tmp_path / "stolen").read_text().splitlines()
    ref, secret = deployment.record().runs[0].run.ref, Secret(material)
    assert (ref.owner, ref.id) == (owner, name)
    places = tuple(Place("fake", connection, f"{owner}/{kind}") for connection in TWO)
    assert wrong(company, deployment, scoped(ref, secret, *places), secret, Strategy.CONTAIN_FIRST) == []
    deployment.database.close()


def killed_after(folder, number: int) -> int:
    """Let a worker process work until its n-th change; return how it ended."""
    ask = [sys.executable, "-m", "tests.fakes.killed_worker", str(folder), str(number)]
    done = subprocess.run(ask, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert "Error" not in done.stderr
    return done.returncode
