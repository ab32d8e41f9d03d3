"""Many workers on one ledger: everything is done once, nothing is lost, and nobody waits for ever."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from rotator.flow.playbook_words import Strategy
from tests.fakes.company import KINDS, founded
from tests.fakes.deployment import broken_chains

WORKERS = 8


class Errors:
    """Keeps what the engine would log as a defect."""

    def __init__(self):
        self.told = []

    def error(self, event, **said):
        self.told.append((event, said))

    def warning(self, event, **said):
        self.told.append((event, said))


def test_many_workers_finish_what_all_may_read_of_each_other(database, tmp_path, monkeypatch):
    errors = Errors()
    monkeypatch.setattr("rotator.engine.log", errors)
    monkeypatch.setattr("rotator.exchange.log", errors)
    company, deployment = founded(tmp_path, database=database, quota=None)
    found = []
    for number in range(24):
        each, _ = company.stolen(KINDS[number % len(KINDS)], owner=f"owner-{number}")
        reads = ("kv:all", f"{each.ref.connection}:all")
        found.append(replace(each, custody=replace(each.custody, reads=reads, consumers=())))
    deployment.start(found, wanted=Strategy.CONTAIN_FIRST)
    engines = [deployment.engine() for _ in range(WORKERS)]
    with ThreadPoolExecutor(WORKERS) as pool:
        for _ in range(2000):
            deployment.due.wake_leak_safe()
            sent = deployment.due.take_due(1000)
            # Every message comes twice, at once, to two workers.
            list(pool.map(lambda told: engines[told[0] % WORKERS].advance(told[1][0]), enumerate(sent * 2)))
            if sent:
                continue
            waiting = [row["due_at"] for row in deployment.rows("branch") if row["state"] in {"open", "held"}]
            soon = [at for at in waiting if at is not None]
            if not soon:
                break
            company.world.wait_until(min(soon))
    assert errors.told == []
    assert broken_chains(deployment) == []
    for record in deployment.record().runs:
        assert {step.state.value for step in record.steps} == {"done"}
        assert company.living(record.run.ref) == {record.run.replacement}
    assert deployment.rows("mint") == deployment.rows("sealed") == []
    minted = Counter(company.world.done("issuer.issue"))
    assert set(minted.values()) == {1}
    assert Counter(company.world.done("store.promote")) == {f"kv:{each.custody.deliver[0].name}": 1 for each in found}


@pytest.mark.parametrize("owner_places", [1, 6])
def test_runs_of_one_owner_mint_one_at_a_time(database, tmp_path, owner_places):
    company, deployment = founded(tmp_path, database=database, quota=None)
    minting, most = [0], [0]

    def meet(phase, what, _changes):
        if what == "issuer.issue":
            minting[0] += 1 if phase == "before" else -1
            most[0] = max(most[0], minting[0])

    company.world.meet = meet
    found = []
    for number in range(6):
        each, _ = company.stolen("aws_iam_access_key", owner="ci")
        place = replace(each.custody.deliver[0], name=f"place-{number % owner_places}")
        found.append(replace(each, custody=replace(each.custody, deliver=(place,), consumers=())))
    deployment.start(found, wanted=Strategy.CONTAIN_FIRST)
    engines = [deployment.engine() for _ in range(WORKERS)]
    with ThreadPoolExecutor(WORKERS) as pool:
        for _ in range(200):
            sent = deployment.due.take_due(1000)
            list(pool.map(lambda told: engines[told[0] % WORKERS].advance(told[1][0]), enumerate(sent)))
            company.world.wait_until(company.world.now() + 5)
    deployment.rest()
    assert most == [1]
    replacements = {record.run.replacement for record in deployment.record().runs} - {None}
    assert len(replacements) == owner_places
    assert company.living(found[0].ref) == replacements
