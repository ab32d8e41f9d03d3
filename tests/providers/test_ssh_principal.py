"""What is peculiar to principals: each host has its own list, and a certificate that says nothing proves nothing."""

from __future__ import annotations

import pytest

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected
from rotator.flow.proof import Evidence
from rotator.ports.provider import Answer, State
from rotator.providers.ssh_principal import connect
from tests.fakes.deployment import Deployment, Outside, broken_chains, scoped, sqlite
from tests.fakes.world import World
from tests.servers.ssh_principals import ACCOUNTS, KIND, principal_case, principal_hosts

ONE, TWO = ACCOUNTS[:2]


@pytest.fixture(scope="module")
def hosts():
    with principal_hosts() as running:
        yield running


@pytest.fixture(scope="module")
def provider(hosts):
    return connect(hosts.connection(), KIND)


def grant(account: str, principal: str) -> CredentialRef:
    return CredentialRef(KIND, "fleet", account, f"{account}/{principal}")


def test_each_host_has_its_own_lines_back_and_one_that_never_had_it_lets_it_in_no_more_than_before(hosts, provider):
    first, second = (hosts.listed(host, ONE) for host in hosts.servers.hosts)
    first.write_text('from="127.0.0.1" vendor\nops\nno-pty vendor # twice\n')
    second.write_text("ops\n")
    kept = provider.preserve(grant(ONE, "vendor"))
    provider.uninstall("web1", grant(ONE, "vendor"))
    assert (first.read_text(), second.read_text()) == ("ops\n", "ops\n")
    provider.install("web1", grant(ONE, "vendor"), {}, kept)
    assert first.read_text() == 'ops\nfrom="127.0.0.1" vendor\nno-pty vendor\n'
    with pytest.raises(Rejected) as refusal:
        provider.install("web2", grant(ONE, "vendor"), {}, kept)
    assert refusal.value.reason == "never_listed_here"


def test_a_certificate_that_ran_out_or_names_another_proves_nothing(hosts, provider):
    hosts.listed("web1", ONE).write_text("ops\n")
    ref = grant(ONE, "vendor")
    said = {
        "certificate_not_valid_now": hosts.certificate("vendor", valid_before=1),
        "other_principal": hosts.certificate("ops"),
        "permission_denied": hosts.certificate("vendor"),
        "unreadable": Secret("no key at all"),
    }
    assert {provider.verify_at("web1", ref, secret).reason for secret in said.values()} == set(said)
    inconclusive = [provider.verify_at("web1", ref, secret).answer for why, secret in said.items() if why[0] != "p"]
    assert inconclusive == [Answer.INCONCLUSIVE] * 3


def test_it_is_discovered_at_the_hosts_that_let_it_in(hosts, provider):
    hosts.listed("web1", TWO).write_text("sync\n")
    hosts.listed("web2", TWO).write_text("sync\nteam/sync\n")
    found = {each.ref.id: each.facts["listed_on"] for each in provider.discover() if each.ref.owner == TWO}
    assert found == {f"{TWO}/sync": "web1,web2", f"{TWO}/team/sync": "web2"}
    assert provider.identify(Leaked(id=f"{TWO}/team/sync")) == grant(TWO, "team/sync")


@pytest.mark.parametrize(
    "told",
    ["sync", "somebody-else/sync", "", f"{TWO}/", f"{TWO}/two words"],
    ids=["no user", "another's", "nothing", "no principal", "two words"],  # the user is named for the process
)
def test_what_is_no_grant_is_not_named(provider, told):
    with pytest.raises(Rejected) as refusal:
        provider.identify(Leaked(id=told))
    assert refusal.value.reason == "unreadable"


@pytest.mark.parametrize(("with_certificate", "evidence"), [(True, Evidence.PROVEN), (False, Evidence.STATED)])
def test_a_run_proves_it_by_a_certificate_or_takes_the_hosts_word_and_its_undo_lets_it_in_again(
    hosts, tmp_path, with_certificate, evidence
):
    case = principal_case(hosts)
    ref, certificate = case.plant()
    world = World()
    outside = Outside({(KIND, "fleet"): case.provider}, {}, {})
    deployment = Deployment(world, outside, sqlite(tmp_path / "ledger.db"))
    deployment.start([scoped(ref, certificate if with_certificate else None)])
    deployment.rest()
    assert set(deployment.steps().values()) == {"done"}
    assert deployment.record().runs[0].run.evidence is evidence
    assert case.provider.verify(ref, certificate).answer is Answer.REJECTED
    deployment.hands.undo("inc-1.r1", "contain", "ann", "it is out", deployment.hands.undoing("inc-1.r1", "contain"))
    deployment.rest()
    assert case.provider.verify(ref, certificate).answer is Answer.ACCEPTED
    assert case.provider.inspect(ref).state is State.ACTIVE
    assert broken_chains(deployment) == []
    deployment.database.close()
