"""The engine against real servers behind fault proxies: one stolen credential, calls that go wrong, and the truth.

The ledger's time is the real one, moved on where one would only have to wait: for a hold, a backoff, a settle time.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from rotator.credential import CredentialRef, Secret
from rotator.families import aws, aws_knock, http_wire, vault
from rotator.flow.playbook_words import Strategy
from rotator.outside import Outside
from rotator.practice.honesty import lies, unfinished
from rotator.practice.servers import Servers
from rotator.report.incident import build
from rotator.settings.file import load
from tests.e2e.company import ACME, AWS, VAULT, Company, Victim, company
from tests.fakes.deployment import PLAYBOOKS, Deployment, broken_chains, scoped, sqlite
from tests.fakes.fault_proxy import Fault, FaultProxy, fault_proxy
from tests.fakes.world import World
from tests.faults.world import living

REPLACING = frozenset({Strategy.CONTAIN_FIRST, Strategy.REPLACE_FIRST})
CONNECTIONS = {AWS: "aws", VAULT: "vault", ACME: "acme"}
DEADLINE_S = 0.3
"""What clients get in place of theirs, so that a call which is never answered does not cost a quarter of a minute."""


class SkippingTime(World):
    """The real time, but nobody waits."""

    def __init__(self) -> None:
        super().__init__()
        self._skipped_s = 0.0

    def now(self) -> float:
        return time.time() + self._skipped_s

    def wait_until(self, moment: float) -> None:
        self._skipped_s = max(self._skipped_s, moment - time.time())


@dataclass
class Ended:
    """How one response ended: what is wrong, and every call that passed a proxy, in order."""

    wrong: list[str]
    calls: list[str]


def respond(
    folder: Path, servers: Servers, kind: str, strategy: Strategy, faults: dict[int, Fault] | None = None
) -> Ended:
    """Respond to one stolen credential of that kind, with these calls going wrong, counted over all servers."""
    with company(folder, servers, kind) as found, _proxies(found) as proxies:
        calls: list[str] = []

        def script(_number: int, call: str) -> Fault | None:
            calls.append(call)
            return (faults or {}).get(len(calls) - 1)

        database = sqlite(folder / "crash.db")
        settings = load(folder / "rotator.toml")
        deployment = Deployment(SkippingTime(), Outside(settings, PLAYBOOKS), database)
        victim = found.victim(kind)
        ref = CredentialRef(kind, CONNECTIONS[kind], victim.use.owner, victim.id)
        secret = Secret(victim.use.document["aws_secret_access_key" if kind == AWS else "token"])
        custody = replace(settings.credentials[0].custody(), reads=())
        deployment.start([replace(scoped(ref, secret), custody=custody)], wanted=strategy)
        for proxy in proxies:
            proxy.script = script
        try:
            deployment.rest()
        except AssertionError as error:
            return Ended([str(error)], calls)
        finally:
            for proxy in proxies:
                proxy.pass_all()
        wrong = _wrong(found, deployment, victim, strategy)
        database.close()
        return Ended(wrong, calls)


def _wrong(found: Company, deployment: Deployment, victim: Victim, strategy: Strategy) -> list[str]:
    report = build(deployment.record())
    entry = report["credentials"][0]
    used = [victim.in_use] if strategy in REPLACING else []
    wanted = {entry["replacement"]} if strategy in REPLACING else set()
    alive = living(found)[victim.use.provider]
    wrong = lies(report, [victim.tried], used) + unfinished(report, [victim.tried], used)
    wrong += [f"its death is {entry['state']}"] * (entry["state"] != "proven_dead")
    wrong += [f"{sorted(alive)} live, {sorted(map(str, wanted))} should"] * (alive != wanted)
    steps = deployment.record().runs[0].steps
    wrong += [f"{each.name} is {each.state}: {each.reason}" for each in steps if each.state not in {"done", "skipped"}]
    wrong += [f"a reservation stays: {dict(row)}" for row in deployment.rows("mint")]
    wrong += ["the stolen secret is still kept"] * bool(deployment.rows("sealed"))
    return wrong + broken_chains(deployment)


@contextlib.contextmanager
def _proxies(found: Company) -> Iterator[list[FaultProxy]]:
    with contextlib.ExitStack() as up:
        servers = {
            "aws": found.servers.aws.endpoint_url,
            "vault": found.servers.vault.address,
            "acme": found.servers.acme.address,
        }
        proxies = []
        for name, address in servers.items():
            proxies.append(up.enter_context(fault_proxy(address)))
            found.connection(name, endpoint_url=proxies[-1].address)
        yield proxies


def shorten_deadlines(monkeypatch) -> None:
    """Let a client wait for an answer no longer than a third of a second."""
    for module in (aws, aws_knock, http_wire, vault):
        monkeypatch.setattr(module, "READ_TIMEOUT_S", DEADLINE_S)
