"""What is peculiar to roles: conditions, others in the same binding, another hand at the policy, and who is ours."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected, Unavailable
from rotator.families.gcp_policy import held, members, read, restored, without, written
from rotator.flow.proof import Evidence
from rotator.ports.provider import State
from tests.contracts.cases.gcp_iam_binding import IN_HOURS, NAME, connected, plant
from tests.fakes.deployment import Deployment, Outside, broken_chains, scoped, sqlite
from tests.fakes.gcp_iam_server import fake_gcp
from tests.fakes.gcp_policies import PROJECT, fake_policies
from tests.fakes.world import World

VIEWER, VENDOR = "roles/viewer", "serviceAccount:sync@vendor.iam.gserviceaccount.com"
BINDING = st.fixed_dictionaries(
    {
        "role": st.sampled_from(["roles/viewer", "roles/owner"]),
        "members": st.lists(st.sampled_from(["user:a", "user:b", "allUsers"]), min_size=1, unique=True),
    },
    optional={"condition": st.sampled_from([IN_HOURS, {"title": "once", "expression": "true"}])},
)


@pytest.fixture(scope="module")
def server():
    with fake_policies() as running:
        yield running


@pytest.fixture
def provider(server):
    return connected(server)


def grant(on: str, role: str, member: str) -> CredentialRef:
    return CredentialRef(NAME, "gcp-test", on, f"{on}/{role}/{member}")


def terms(policy) -> set[str]:
    return {json.dumps([role, who, each.get("condition")], sort_keys=True) for role, who, each in members(policy)}


@given(st.lists(BINDING, max_size=5), st.lists(BINDING, max_size=1))
def test_one_loses_a_role_alone_and_has_it_again_on_its_conditions(bindings, theirs):
    policy = {"etag": "e", "auditConfigs": [], "bindings": bindings}
    for role, member, _ in list(members(policy))[:1]:
        kept = written(held(policy, role, member))
        out = without(policy, role, member)
        assert held(out, role, member) == []
        assert all(each["members"] for each in out["bindings"])
        lost = {each for each in terms(policy) if json.loads(each)[:2] == [role, member]}
        assert terms(out) == terms(policy) - lost
        changed = {**out, "bindings": [*out["bindings"], *theirs]}
        back = restored(changed, read(kept), member)
        assert terms(back) == terms(policy) | terms({"bindings": theirs})
        assert (back["etag"], back["auditConfigs"]) == ("e", [])


def test_a_condition_comes_back_and_those_in_the_same_binding_never_lost_it(server, provider):
    on, other = server.account(), "user:ada@acme.example"
    server.give(on, VIEWER, VENDOR, other, condition=IN_HOURS)
    server.give(on, VIEWER, VENDOR)
    ref, before = grant(on, VIEWER, VENDOR), terms(server.policies[on])
    kept = provider.preserve(ref)
    provider.suspend(ref)
    assert [each["members"] for each in server.policies[on]["bindings"]] == [[other]]
    provider.restore(ref, kept)
    assert terms(server.policies[on]) == before


def test_what_another_hand_wrote_in_between_is_not_lost(server, provider):
    on = server.account()
    server.give(on, VIEWER, VENDOR)
    server.meanwhile.append(lambda: server.give(on, "roles/editor", "user:ada@acme.example"))
    with pytest.raises(Unavailable) as again:
        provider.suspend(grant(on, VIEWER, VENDOR))
    assert again.value.reason == "being_edited"
    provider.suspend(grant(on, VIEWER, VENDOR))
    assert terms(server.policies[on]) == {json.dumps(["roles/editor", "user:ada@acme.example", None])}


POOL = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/jobs"


@pytest.mark.parametrize(
    ("member", "also"),
    [
        (VENDOR, "allAuthenticatedUsers"),
        ("user:dev@vendor.example", "domain:vendor.example"),
        (f"principal:{POOL}/subject/web", f"principalSet:{POOL}/*"),
        ("principal:" + POOL.replace("workloadIdentityPools", "workforcePools") + "/subject/ann", "allUsers"),
    ],
)
def test_who_has_the_role_under_a_wider_name_too_is_not_called_gone(server, provider, member, also):
    on = server.account()
    server.give(on, VIEWER, member, also, condition=IN_HOURS)
    server.give(on, "roles/editor", "allUsers")
    ref = grant(on, VIEWER, member)
    kept = provider.preserve(ref)
    provider.suspend(ref)
    seen = provider.inspect(ref)
    assert (seen.state, seen.facts["trusted_also_as"]) == (State.ACTIVE, also)
    provider.suspend(grant(on, VIEWER, also))
    assert provider.inspect(ref).state is State.ABSENT
    provider.restore(ref, kept)
    assert provider.inspect(ref).facts["terms"] == kept["terms"]


def test_a_role_on_the_project_itself_is_taken_too(server, provider):
    server.give(PROJECT, VIEWER, "allUsers")
    ref = provider.identify(Leaked(id=f"{PROJECT}/{VIEWER}/allUsers"))
    assert ref.owner == PROJECT
    provider.suspend(ref)
    assert provider.inspect(ref).state is State.ABSENT


def test_whoever_is_not_of_the_project_is_discovered(server, provider):
    on = server.account()
    ours = f"serviceAccount:app@{PROJECT}.iam.gserviceaccount.com"
    server.give(on, VIEWER, ours, "deleted:user:gone@x.example?uid=1", "projectOwner:acme-prod", VENDOR, "allUsers")
    found = {each.ref.id for each in provider.discover() if each.ref.owner == on}
    assert found == {f"{on}/{VIEWER}/{VENDOR}", f"{on}/{VIEWER}/allUsers"}


def test_the_rotators_own_role_is_never_taken(server):
    with fake_gcp() as issuer:
        key = issuer.create_key(issuer.account("rotator"))
    own = connected(server, Secret(json.dumps(key)))
    with pytest.raises(Rejected) as refusal:
        own.suspend(grant(PROJECT, "roles/owner", f"serviceAccount:{key['client_email']}"))
    assert refusal.value.reason == "own_principal"


def test_a_run_takes_the_issuers_word_and_its_undo_gives_back_what_was_kept(server, provider, tmp_path):
    ref, _ = plant(server)
    before = terms(server.policies[ref.owner])
    deployment = Deployment(World(), Outside({(NAME, "gcp-test"): provider}, {}, {}), sqlite(tmp_path / "ledger.db"))
    deployment.start([scoped(ref, None)])
    deployment.rest()
    run = deployment.record().runs[0]
    assert run.run.evidence is Evidence.STATED
    assert {step.name: step.reason for step in run.steps if step.name in {"paired", "refused"}} == {
        "paired": "stated: the issuer says that it is active",
        "refused": "stated: the issuer says that no such one is there",
    }
    deployment.hands.undo("inc-1.r1", "contain", "ann", "it is out", deployment.hands.undoing("inc-1.r1", "contain"))
    deployment.rest()
    assert terms(server.policies[ref.owner]) == before
    assert deployment.record().runs[0].run.evidence is Evidence.NONE
    assert broken_chains(deployment) == []
    deployment.database.close()


@pytest.mark.parametrize("told", ["roles/viewer/user:a@b.example", "acme-prod/viewer/user:a", "", "acme-prod/roles/x/"])
def test_what_is_no_grant_is_not_named(provider, told):
    with pytest.raises(Rejected) as refusal:
        provider.identify(Leaked(id=told))
    assert refusal.value.reason == "unreadable"


def test_what_was_kept_of_another_role_gives_none_back(provider, server):
    on = server.account()
    with pytest.raises(Rejected) as refusal:
        provider.restore(grant(on, VIEWER, VENDOR), {"terms": '[{"role": "roles/owner"}]'})
    assert refusal.value.reason == "nothing_preserved"
