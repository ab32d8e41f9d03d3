"""What a kind says its verbs cost is what they send: counted at a proxy while whole playbooks run on real servers."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator

import pytest

from rotator.credential import CredentialRef, Secret
from rotator.engine import Engine
from rotator.families.ssh import Fleet
from rotator.flow.playbook_words import Strategy, Subject
from rotator.ledger.working import WorkingLedger
from rotator.ports.connection import Connection
from rotator.ports.store import Place
from rotator.practice.ministack import ministack
from rotator.practice.openbao import openbao
from rotator.practice.ssh_servers import ssh_servers
from rotator.practice.token_server import token_server
from rotator.providers import aws_iam_access_key, aws_role_trust, http, ssh_authorized_key, vault_token
from tests.contracts.cases.aws_iam_access_key import connection as signed
from tests.contracts.cases.aws_role_trust import plant as a_trust
from tests.contracts.cases.gcp_iam_binding import connected as gcp_iam_binding
from tests.contracts.cases.gcp_iam_binding import plant as a_binding
from tests.contracts.cases.github_collaborator import connected as github_collaborator
from tests.contracts.cases.github_collaborator import plant as a_collaborator
from tests.contracts.cases.http import acme
from tests.fakes.company import CONSUMER
from tests.fakes.consumer import FakeConsumer
from tests.fakes.deployment import SEAL, Deployment, Outside, scoped, sqlite
from tests.fakes.fault_proxy import fault_proxy
from tests.fakes.gcp_policies import fake_policies
from tests.fakes.github_trust import fake_trust
from tests.fakes.store import FakeStore
from tests.fakes.world import World
from tests.servers.ssh_case import ssh_case

AT_ONCE = {"settle_s": 0.0, "propagation_s": 0.0}


class Counting:
    """A ledger that notes, at the end of every step's attempt, how many calls were made since the one before."""

    def __init__(self, ledger, made: Callable[[], int]) -> None:
        self._ledger, self._made, self._before = ledger, made, made()
        self.cost: dict[str, list[tuple[int, int]]] = {}

    def __getattr__(self, name):
        return getattr(self._ledger, name)

    def commit(self, work, draft):
        self._note(draft)
        return self._ledger.commit(work, draft)

    def release(self, work, draft, *rest):
        self._note(draft)
        return self._ledger.release(work, draft, *rest)

    def _note(self, draft):
        for step in draft.steps.values():
            if step.settled_at is not None:
                now = self._made()
                self.cost.setdefault(step.name, []).append((step.calls, now - self._before))
                self._before = now


@contextlib.contextmanager
def aws(tmp_path) -> Iterator[tuple[object, object, Secret, Callable[[], int]]]:
    with ministack(tmp_path) as server, fault_proxy(server.endpoint_url) as proxy:
        own = {"aws_access_key_id": server.admin_id, "aws_secret_access_key": server.admin_secret.reveal()}
        connection = Connection("aws", "aws", server.account, proxy.address, lambda: Secret(json.dumps(own)), **AT_ONCE)
        provider = aws_iam_access_key.connect(connection, "aws_iam_access_key")
        user, key, secret = server.plant()
        ref = CredentialRef("aws_iam_access_key", "aws", user, key)
        yield provider, ref, secret, lambda: len(proxy.calls)


@contextlib.contextmanager
def vault(tmp_path):
    with openbao(tmp_path) as server, fault_proxy(server.address) as proxy:
        server.write_policy("app", 'path "secret/data/app/*" { capabilities = ["read"] }')
        connection = Connection("vault", "vault", None, proxy.address, lambda: server.rotator.token, **AT_ONCE)
        provider = vault_token.connect(connection, "vault_token")
        planted = server.plant("app", "ci")
        ref = CredentialRef("vault_token", "vault", "ci", planted.accessor)
        provider.siblings(ref)  # a process looks each token up once in its life
        yield provider, ref, planted.token, lambda: len(proxy.calls)


@contextlib.contextmanager
def rest(tmp_path):  # noqa: ARG001 - it keeps nothing on disk
    with token_server() as server, fault_proxy(server.address) as proxy:
        connection = Connection("acme", "http", None, proxy.address, lambda: server.admin, **AT_ONCE)
        planted = server.plant("ci")
        ref = CredentialRef("acme_api_token", "acme", "ci", planted.id)
        yield http.connect(connection, "acme_api_token", acme()), ref, planted.token, lambda: len(proxy.calls)


@contextlib.contextmanager
def ssh(tmp_path):
    visits: list[str] = []
    with ssh_servers(tmp_path, ["web-1", "web-2"]) as servers, pytest.MonkeyPatch.context() as patched:
        for way in ("at", "at_each"):
            made = getattr(Fleet, way)
            patched.setattr(Fleet, way, lambda *given, made=made, way=way: visits.append(way) or made(*given))
        connection = Connection(
            "fleet", "ssh", credential=lambda: servers.own_key, settings=servers.settings, **AT_ONCE
        )
        ref, secret = ssh_case(servers).plant("deploy")
        yield ssh_authorized_key.connect(connection, ref.provider), ref, secret, lambda: len(visits)


@contextlib.contextmanager
def role(tmp_path):  # noqa: ARG001 - it keeps nothing on disk
    with fake_policies() as server, fault_proxy(server.address) as proxy:
        ref, no_secret = a_binding(server)
        yield gcp_iam_binding(server, endpoint_url=proxy.address), ref, no_secret, lambda: len(proxy.calls)


@contextlib.contextmanager
def collaborator(tmp_path):  # noqa: ARG001 - it keeps nothing on disk
    with fake_trust() as server, fault_proxy(server.address) as proxy:
        ref, no_secret = a_collaborator(server)
        yield github_collaborator(proxy.address), ref, no_secret, lambda: len(proxy.calls)


@contextlib.contextmanager
def trust(tmp_path):
    with ministack(tmp_path, "iam,sts") as server, fault_proxy(server.endpoint_url) as proxy:
        ref, no_secret = a_trust(server)
        provider = aws_role_trust.connect(signed(server, endpoint_url=proxy.address, **AT_ONCE), ref.provider)
        provider.siblings(ref)  # whose our own credential is, a process asks once
        yield provider, ref, no_secret, lambda: len(proxy.calls)


@pytest.mark.parametrize("opened", [aws, vault, rest, ssh, role, collaborator, trust])
def test_every_step_sends_as_many_requests_as_its_kind_says(tmp_path, opened):
    with opened(tmp_path) as (provider, ref, secret, made):
        world = World()
        outside = Outside(
            {(ref.provider, ref.connection): provider},
            {"kv": FakeStore(world, "kv")},
            {CONSUMER: FakeConsumer(world, CONSUMER)},
        )
        deployment = Deployment(world, outside, sqlite(tmp_path / "ledger.db"))
        exposed = scoped(ref, secret, Place("fake", "kv", "ci"), consumers=(CONSUMER,))
        deployment.start([exposed], wanted=Strategy.CONTAIN_FIRST)
        counting = Counting(WorkingLedger(deployment.database, SEAL, world.now), made)
        deployment.rest(Engine(counting, outside, "worker", world.now))
        assert set(deployment.steps().values()) == {"done"}
        elsewhere = {step.name for step in deployment.record().runs[0].steps if step.subject is Subject.CONSUMERS}
        deployment.database.close()
    # The last knock is a question, since the secret is destroyed by then.
    elsewhere.add("still")
    told = {name: [said for said, _ in cost] for name, cost in counting.cost.items() if name not in elsewhere}
    sent = {name: [calls for _, calls in cost] for name, cost in counting.cost.items() if name not in elsewhere}
    assert told == sent
