"""Whole runs, from the declaration to the last knock, with a kind, its places and a consumer of every sort in turn.

All stand on the emulators, fakes and real servers of their own contract cases. What consumers read in the end must
open the kind's door, and what was exposed must not.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from rotator.consumers import ecs_deployment, kubernetes_rollout, ssh_command, systemd_unit
from rotator.consumers.ssh_command import SshCommand
from rotator.credential import CredentialRef, Issued, Secret, read_document
from rotator.errors import Unavailable
from rotator.flow.playbook_words import Strategy
from rotator.flow.proof import Evidence
from rotator.ports.connection import Connection
from rotator.ports.consumer import Consumer, Notice, Told
from rotator.ports.provider import Answer
from rotator.ports.store import Place, Store, WriteOnly
from rotator.stores import file, github_actions_secret
from tests.contracts.case import opener
from tests.fakes.deployment import Deployment, Outside, broken_chains, scoped, sqlite
from tests.fakes.github_secrets import github_secrets
from tests.fakes.kubernetes_server import kubernetes_server
from tests.fakes.systemctl import UNIT, Machine
from tests.fakes.world import World
from tests.servers.moto import moto_server
from tests.servers.sshd import sshds
from tests.stores import store_contract
from tests.stores.secrets_manager_case import connection as aws
from tests.stores.ssm_case import store_case as ssm_case


@dataclass
class Spot:
    """A place with its store, and what a consumer gets there."""

    place: Place
    store: Store | WriteOnly
    consumer_reads: Callable[[], str | None]


class Town:
    """What the runs stand on: a server starts when a run first wants it, and then serves them all."""

    def __init__(self, folder: Path, up: contextlib.ExitStack) -> None:
        self._folder, self._up, self._standing = folder, up, {}

    def standing(self, name: str, begin: Callable[[Path], Any]) -> Any:
        if name not in self._standing:
            folder = self._folder / name
            folder.mkdir()
            self._standing[name] = self._up.enter_context(begin(folder))
        return self._standing[name]

    def kind(self, name: str) -> Any:
        return self.standing(name, opener(name))

    @property
    def aws(self) -> Any:
        return self.standing("aws", moto_server)

    @property
    def cluster(self) -> Any:
        return self.standing("cluster", lambda _: kubernetes_server())

    @property
    def hosts(self) -> Any:
        return self.standing("hosts", lambda _: sshds(1))

    @property
    def github(self) -> Any:
        return self.standing("github", lambda _: github_secrets())


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    with contextlib.ExitStack() as up:
        yield Town(tmp_path_factory.mktemp("town"), up)


def spot(town: Town, store: str, holds: str) -> Spot:
    """Return a place of that store which holds something already."""
    if store in PLACES:
        return PLACES[store](town, holds)
    case = ssm_case(town.aws) if store == "aws_ssm_parameter" else town.standing(store, store_contract.opener(store))
    name = case.fresh_name()
    case.put(name, holds)
    return Spot(Place(store, store, name), case.store, partial(case.consumer_reads, name))


def a_file(town: Town, holds: str) -> Spot:
    """Return a file that the account on a host can read, and nobody else."""
    path = town.hosts.folder / f"{secrets.token_hex(4)}.json"
    path.write_text(holds)
    path.chmod(0o600)
    shutil.chown(path, town.hosts.accounts[0])
    store = file.connect(Connection("here", "file", settings={"folder": str(path.parent)}))
    return Spot(Place("file", "here", path.name), store, path.read_text)


def a_secret_of_workflows(town: Town, holds: str) -> Spot:
    """Return what a workflow can read and nobody else."""
    github, name = town.github, f"T_{secrets.token_hex(4)}".upper()
    github.repositories.add("acme/shop")
    github.put("acme/shop", name, holds)
    own = Connection("github", "github", endpoint_url=github.address, credential=lambda: Secret(github.own))
    place = Place("github_actions_secret", "github", f"acme/shop:{name}")
    return Spot(place, github_actions_secret.connect(own), lambda: github.workflow("acme/shop", name))


PLACES = {"file": a_file, "github_actions_secret": a_secret_of_workflows}


def an_application(town: Town, place: Place) -> Consumer:
    """Return one on a host that reads its file, and says which credential it found there."""
    path = shlex.quote(str(town.hosts.folder / place.name))
    script = rf"""sed -n 's/.*"id": "\([^"]*\)".*/{{"using": "\1"}}/p' {path}"""
    own = Connection("web", "ssh", credential=lambda: town.hosts.own_key, settings=town.hosts.settings)
    return ssh_command.connect(own, ["web1", "sh", "-c", script])


def a_unit(_town: Town, _place: Place) -> Consumer:
    return systemd_unit.connect(None, ["", UNIT])


def a_workload(town: Town, _place: Place) -> Consumer:
    name = f"api-{secrets.token_hex(4)}"
    spec = {"replicas": 2, "template": {"metadata": {}, "spec": {}}}
    town.cluster.cluster.create("deployments", "shop", {"metadata": {"name": name}, "spec": spec})
    own = Connection("prod", "kubernetes", endpoint_url=town.cluster.address, credential=lambda: town.cluster.admin)
    return kubernetes_rollout.connect(own, [f"shop/deployment/{name}"])


def a_service(town: Town, _place: Place) -> Consumer:
    ecs, name = town.aws.client("ecs"), f"api-{secrets.token_hex(4)}"
    ecs.create_cluster(clusterName="shop")
    ecs.register_task_definition(family="api", containerDefinitions=[{"name": "api", "image": "api", "memory": 128}])
    ecs.create_service(cluster="shop", serviceName=name, taskDefinition="api", desiredCount=0)
    return ecs_deployment.connect(aws(town.aws), [f"shop/{name}"])


CONSUMERS = {
    "ssh_command": (an_application, "exit 0"),
    "systemd_unit": (a_unit, "active since Sun 2026-11-22 09:00:01 UTC"),
    "kubernetes_rollout": (a_workload, "restarted at"),
    "ecs_deployment": (a_service, "deployment ecs-svc/"),
}
# Both strategies of a kind with fakes alone: tests/providers/test_clouds_whole.py.
CONTAIN_FIRST, REPLACE_FIRST = Strategy.CONTAIN_FIRST, Strategy.REPLACE_FIRST
RUNS = [
    ("gitlab_token", REPLACE_FIRST, ("gitlab_variable",), "systemd_unit"),
    ("azure_entra_secret", CONTAIN_FIRST, ("file", "github_actions_secret"), "ssh_command"),
    ("kubernetes_service_account_token", REPLACE_FIRST, ("kubernetes_secret",), "kubernetes_rollout"),
    ("gcp_service_account_key", CONTAIN_FIRST, ("gcp_secret_manager",), "kubernetes_rollout"),
    ("azure_entra_secret", REPLACE_FIRST, ("aws_ssm_parameter",), "ecs_deployment"),
    ("rotator_api_token", REPLACE_FIRST, ("file",), "systemd_unit"),
]


class Slow:
    """A consumer that is not through with it until it is `ready`."""

    def __init__(self, consumer: Consumer) -> None:
        self.name, self._consumer, self.ready = consumer.name, consumer, True

    @property
    def says(self) -> bool:
        """Tell whether it says what it holds."""
        return isinstance(self._consumer, SshCommand)

    def reload(self, notice: Notice) -> Told:
        return self._consumer.reload(notice)

    def holding(self, notice: Notice) -> Told:
        if not self.ready:
            raise Unavailable("rolling_out", self.name)
        return self._consumer.holding(notice)


@dataclass
class Run:
    """A stolen credential, its places and its consumer, in a deployment where its run was approved.

    `said` is how the consumer's answer begins.
    """

    case: Any
    spots: list[Spot]
    consumer: Slow
    said: str
    ref: CredentialRef
    exposed: Secret
    deployment: Deployment

    def knock(self, credential_id: str, secret: Secret) -> Answer:
        return self.case.provider.verify(self.ref.with_id(credential_id), secret).answer

    @property
    def kept(self) -> str:
        """Return all that the ledger holds in words."""
        return str([self.deployment.rows(each) for each in ("run", "branch", "step", "evidence", "proof", "exposure")])


@pytest.fixture
def run(request, town, tmp_path, monkeypatch):
    """Return a run of a row of the table."""
    kind, strategy, places, sort = request.param
    monkeypatch.setenv("PATH", f"{Machine(tmp_path).bin}{os.pathsep}{os.environ['PATH']}")
    case = town.kind(kind)
    ref, exposed = case.plant()
    before = Issued(ref, exposed).document(case.provider.secret_field)
    spots = [spot(town, each, before.reveal()) for each in places]
    consumer = Slow(CONSUMERS[sort][0](town, spots[0].place))
    outside = Outside(
        {(ref.provider, ref.connection): case.provider},
        {each.place.connection: each.store for each in spots},
        {sort: consumer},
    )
    stolen = scoped(ref, exposed, *(each.place for each in spots), consumers=(sort,))
    with contextlib.closing(sqlite(tmp_path / "ledger.db")) as ledger:
        deployment = Deployment(World(), outside, ledger)
        deployment.start([stolen], wanted=strategy)
        yield Run(case, spots, consumer, CONSUMERS[sort][1], ref, exposed, deployment)


@pytest.mark.parametrize("run", RUNS, indirect=True, ids=lambda row: "-".join((row[0], *row[2], row[3])))
def test_what_consumers_read_in_the_end_opens_and_what_was_exposed_does_not(run):
    run.deployment.rest()
    assert {name: state for name, state in run.deployment.steps().items() if state != "done"} == {}
    assert run.deployment.record().runs[0].run.evidence is Evidence.PROVEN
    assert broken_chains(run.deployment) == []
    [document] = {each.consumer_reads() for each in run.spots}
    new_id, new, _ = read_document(Secret(document), run.case.provider.secret_field)
    assert run.knock(new_id, new) is Answer.ACCEPTED
    assert run.knock(run.ref.id, run.exposed) is Answer.REJECTED
    assert run.said in run.kept
    assert not [secret for secret in (new, run.exposed) if secret.reveal() in run.kept]


@pytest.mark.parametrize("run", [(kind, REPLACE_FIRST, *more) for kind, _, *more in RUNS[:3]], indirect=True)
def test_an_undo_gives_consumers_back_what_they_read_before_and_the_replacement_is_gone(run):
    run.consumer.ready = False
    run.deployment.rest(patience_s=600.0)
    [document] = {each.consumer_reads() for each in run.spots}
    new_id, new, _ = read_document(Secret(document), run.case.provider.secret_field)
    assert run.knock(new_id, new) is Answer.ACCEPTED
    shown = run.deployment.hands.undoing("inc-1.r1", "issue")
    run.deployment.hands.undo("inc-1.r1", "issue", "ann", "the job broke", shown)
    run.consumer.ready = True
    run.deployment.rest()
    if not run.consumer.says:  # then a person looks that nobody holds it any more
        assert run.deployment.steps()["undo_issue"] == "held"
        assert run.knock(new_id, new) is Answer.ACCEPTED
        run.deployment.hands.decide("inc-1.r1", "undo_issue", skip=False, by="ann", reason="all were restarted")
        run.deployment.rest()
    read = {read_document(Secret(each.consumer_reads()), run.case.provider.secret_field)[0] for each in run.spots}
    assert (read, set(run.deployment.steps().values())) == ({run.ref.id}, {"done", "skipped"})
    assert run.knock(run.ref.id, run.exposed) is Answer.ACCEPTED
    assert run.knock(new_id, new) is Answer.REJECTED
    assert broken_chains(run.deployment) == []
