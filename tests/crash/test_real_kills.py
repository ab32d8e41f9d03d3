"""The whole product on real servers, its runtime killed by SIGKILL at seeded calls, twice: the end is right.

`tests/e2e/test_interrupted.py` kills at chosen calls of AWS; here the calls are any of the other kinds' servers.
CRASH=all kills many times more, all kinds at once too.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading

import pytest

from rotator.practice.honesty import lies, unfinished
from tests.e2e.canaries import betrayed, betrayed_by_tables
from tests.e2e.commands import runtime_of, until
from tests.e2e.company import ACME, KINDS, SSH, VAULT, company
from tests.fakes.fault_proxy import LOST_ANSWER, LOST_REQUEST, fault_proxy
from tests.fakes.tcp_proxy import Cut, tcp_proxy
from tests.faults.world import living

CALLS = {VAULT: 18, ACME: 18, SSH: 60}
"""How many calls a response to one takes at least; pieces that a client sends, for SSH."""


class Killer:
    """Counts what comes by at any proxy, and kills the runtime as the n-th call does, before or after it acts."""

    def __init__(self, data_dir, number: int, acts: bool) -> None:
        self.killed = threading.Event()
        self._data_dir, self._number, self._acts, self._seen = data_dir, number, acts, 0
        self._counting = threading.Lock()

    def meets(self) -> bool:
        """Tell whether this is the call; if so, its caller is dead by now, or will be once the call has acted."""
        with self._counting:
            self._seen += 1
            if self._seen != self._number:
                return False
        os.kill(runtime_of(self._data_dir), signal.SIGKILL)
        self.killed.set()
        return True

    def http(self, _number, _call):
        return (LOST_ANSWER if self._acts else LOST_REQUEST) if self.meets() else None

    def tcp(self):
        return (Cut.AFTER if self._acts else Cut.BEFORE) if self.meets() else None


@contextlib.contextmanager
def between(found, meeting):
    """Put proxies before every server of a company; `meeting` gives the killer of the moment."""
    servers = found.servers
    addresses = {"aws": servers.aws.endpoint_url, "vault": servers.vault.address, "acme": servers.acme.address}
    with contextlib.ExitStack() as up:
        for name, address in addresses.items():
            proxy = up.enter_context(fault_proxy(address))
            proxy.script = lambda number, call: meeting().http(number, call)
            found.connection(name, endpoint_url=proxy.address)
        known, hosts = servers.ssh.known_hosts, []
        for name, address, port in servers.ssh.doors():
            standing = up.enter_context(tcp_proxy(address, port, lambda: meeting().tcp()))
            known = known.replace(f"[{address}]:{port} ", f"[127.0.0.1]:{standing} ")
            hosts.append(f"{name}=127.0.0.1:{standing}")
        found.connection("hosts", hosts=hosts, known_hosts=known)
        yield


def survives(folder, servers, kinds, die) -> None:
    """Kill two runtimes of a fresh company, one after the other, and hold the end against the world."""
    with company(folder, servers, *kinds) as found:
        found.rotator.is_ready = True
        calls = sum(CALLS.get(kind, 30) for kind in kinds)
        # What is left for the second may be less than its number: then it lives.
        killers = [Killer(found.data_dir, die.randint(1, most), die.random() < 0.5) for most in (calls, calls // 2)]
        current = [Killer(found.data_dir, 0, acts=True)]
        with between(found, lambda: current[-1]):
            found.rotator("incident", "declare", found.leak(), "--title", "Killed").ended(0)
            plan = found.rotator("plan", "last", "-o", "json").report["incident"]["plan"]
            current.append(killers[0])
            found.rotator("approve", "last", "--digest", plan).ended(0)
            until(killers[0].killed.is_set)
            until(lambda: runtime_of(found.data_dir) is None)
            current.append(killers[1])
            watch = found.rotator.start("incident", "watch", "last", "-o", "json")
            until(lambda: killers[1].killed.is_set() or watch.process.poll() is not None)
            if watch.process.poll() is None:
                watch.interrupt()
            watch.end()
            current.append(Killer(found.data_dir, 0, acts=True))
            report = found.rotator("incident", "watch", "last", "-o", "json").ended(0).report
        tried, used = [each.tried for each in found.victims], [each.in_use for each in found.victims]
        entries = {entry["provider"]: entry for entry in report["credentials"]}
        assert lies(report, tried, used) + unfinished(report, tried, used) == []
        assert {kind: alive for kind, alive in living(found).items() if alive != {entries[kind]["replacement"]}} == {}
        assert [entry["state"] for entry in entries.values()] == ["proven_dead"] * len(kinds)
        assert betrayed(found.secrets, "what was printed", "\n".join(found.rotator.said)) == []
        assert betrayed_by_tables(found.secrets, found.ledger) == []


@pytest.mark.parametrize("kinds", [[SSH], [ACME, VAULT]], ids=str)
def test_a_runtime_killed_at_any_call_leaves_the_world_as_it_should_be(servers, tmp_path, seed, everything, kinds):
    rounds = [kinds] * 10 + [list(KINDS)] * 5 if everything else [kinds]
    for number, chosen in enumerate(rounds):
        survives(tmp_path / str(number), servers, chosen, random.Random(f"{seed} {chosen} {number}"))
