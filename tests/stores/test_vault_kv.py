"""What is special about KV version 2: each exchange can be cut off, and nothing is lost or done twice."""

from __future__ import annotations

import json
from itertools import product

import pytest

from rotator.credential import Secret
from rotator.errors import Rejected, RotatorError, Uncertain
from rotator.ports.connection import Connection
from rotator.practice.openbao import openbao
from rotator.stores.vault_kv import connect
from tests.fakes.fault_proxy import fault_proxy
from tests.servers.vault_policies import assert_told_truly, lacking_one

OLD = {"id": "old", "token": "canary-old"}
NEW = Secret('{"id": "new", "token": "canary-new"}')
TOKEN = "run-1/step issue"
POLICY = """
path "secret/data/*"      { capabilities = ["create", "read", "update"] }
path "secret/metadata/*"  { capabilities = ["update"] }
path "secret/delete/*"    { capabilities = ["update"] }
path "secret/destroy/*"   { capabilities = ["update"] }
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with openbao(tmp_path_factory.mktemp("openbao")) as running:
        yield running


@pytest.fixture(scope="module")
def proxy(server):
    with fault_proxy(server.address) as standing:
        yield standing


@pytest.fixture
def store(server, proxy):
    proxy.pass_all()
    made = connect(Connection("v", "vault", endpoint_url=proxy.address, credential=lambda: server.rotator.token))
    server.put("warm/up", OLD)
    made.stage("warm/up", NEW, TOKEN)  # the mount has been looked at, as in a process that has run for a while
    return made


@pytest.fixture
def name(server, request):
    made = f"cut/{request.node.name}"
    server.put(made, OLD)
    return made


def versions(server, path):
    return server.call("GET", f"secret/metadata/{path}")["data"]["versions"]


def waiting(server, name):
    """Return the paths of what waits for promotion, or once did."""
    keys = server.call("LIST", f"secret/metadata/{name}.rotator-staged")["data"]["keys"]
    return [f"{name}.rotator-staged/{key}" for key in keys]


def interrupted(proxy, kind, number, act):
    """Do it with one exchange cut off; then again with none, as the engine does after looking."""
    getattr(proxy, kind)(number)
    with pytest.raises(RotatorError):
        act()
    proxy.pass_all()
    return act()


@pytest.mark.parametrize("kind", ["lose_request", "lose_answer"])
def test_staging_that_is_cut_off_is_mended_by_repeating(server, proxy, store, name, kind):
    version = interrupted(proxy, kind, 0, lambda: store.stage(name, NEW, TOKEN))
    assert store.staged(name, TOKEN) == version
    assert store.read(name, version) == NEW
    assert [len(versions(server, path)) for path in waiting(server, name)] == [1]
    assert server.get(name) == OLD


PROMOTE_CALLS = [
    "GET waiting copy",
    "GET current",
    "POST the new version",
    "POST the note",
    "POST destroy",
]


def cuts(calls):
    """Return every way of cutting one of so many exchanges off."""
    return pytest.mark.parametrize("cut", list(product(["lose_request", "lose_answer"], range(calls))), ids=str)


@cuts(len(PROMOTE_CALLS))
def test_promotion_that_is_cut_off_anywhere_is_mended_by_repeating(server, proxy, store, name, cut):
    version = store.stage(name, NEW, TOKEN)
    promoted = interrupted(proxy, *cut, lambda: store.promote(name, version, "1"))
    assert promoted == store.current(name) == "2"
    assert server.get(name) == json.loads(NEW.reveal())
    assert sorted(versions(server, name)) == ["1", "2"]
    (path,) = waiting(server, name)
    assert [each["destroyed"] for each in versions(server, path).values()] == [True]
    assert store.read(name, version) == store.read(name, promoted) == NEW


def test_promotion_takes_as_many_calls_as_the_interruptions_that_were_tried(proxy, store, name):
    version = store.stage(name, NEW, TOKEN)
    proxy.pass_all()
    store.promote(name, version, "1")
    assert len(proxy.calls) == len(PROMOTE_CALLS)


def test_once_the_write_may_have_happened_the_outcome_is_uncertain(proxy, store, name):
    version = store.stage(name, NEW, TOKEN)
    for number in (2, 3, 4):
        proxy.lose_answer(number)
        with pytest.raises(Uncertain):
            store.promote(name, version, "1")
    proxy.pass_all()
    assert store.promote(name, version, "1") == "2"


@cuts(3)
def test_demotion_that_is_cut_off_anywhere_is_mended_by_repeating(server, proxy, store, name, cut):
    promoted = store.promote(name, store.stage(name, NEW, TOKEN), "1")
    interrupted(proxy, *cut, lambda: store.demote(name, promoted, "1"))
    assert server.get(name) == OLD
    assert sorted(versions(server, name)) == ["1", "2", "3"]


@cuts(2)
def test_demotion_to_nothing_that_is_cut_off_is_mended_by_repeating(proxy, store, request, cut):
    name = f"cut/empty/{request.node.name}"
    promoted = store.promote(name, store.stage(name, NEW, TOKEN), None)
    interrupted(proxy, *cut, lambda: store.demote(name, promoted, None))
    assert store.current(name) is None


def test_what_was_demoted_can_be_promoted_again(server, store, name):
    version = store.stage(name, NEW, TOKEN)
    promoted = store.promote(name, version, "1")
    store.demote(name, promoted, "1")
    again = store.promote(name, version, store.current(name))
    assert store.current(name) == again == "4"
    assert server.get(name) == json.loads(NEW.reveal())


def test_a_name_whose_value_was_deleted_holds_nothing_and_can_be_filled(server, store, name):
    server.call("POST", f"secret/delete/{name}", {"versions": [1]})
    assert store.current(name) is None
    assert store.promote(name, store.stage(name, NEW, TOKEN), None) == "2"
    assert server.get(name) == json.loads(NEW.reveal())


def test_a_name_with_its_mount_means_the_same_place(store, name):
    assert store.current(f"secret/{name}") == store.current(name) == "1"


def test_the_mount_comes_from_the_connection(server):
    server.call("POST", "sys/mounts/team-kv", {"type": "kv", "options": {"version": "2"}})
    made = connect(
        Connection(
            "v", "vault", endpoint_url=server.address, credential=lambda: server.root, settings={"mount": "team-kv/"}
        )
    )
    made.promote("app", made.stage("app", NEW, TOKEN), None)
    assert server.call("GET", "team-kv/data/app")["data"]["data"] == json.loads(NEW.reveal())


def test_a_mount_of_version_1_is_refused_before_anything_is_written(server):
    server.call("POST", "sys/mounts/old-kv", {"type": "kv", "options": {"version": "1"}})
    made = connect(
        Connection(
            "v", "vault", endpoint_url=server.address, credential=lambda: server.root, settings={"mount": "old-kv"}
        )
    )
    with pytest.raises(Rejected) as refusal:
        made.stage("app", NEW, TOKEN)
    assert refusal.value.reason == "not_kv_v2"


@pytest.mark.parametrize("bad", ["", "../sys/policies/acl/root", "a//b", "a/./b"])
def test_a_name_that_is_no_path_is_refused(store, bad):
    with pytest.raises(Rejected) as refusal:
        store.current(bad)
    assert refusal.value.reason == "bad_name"


def test_a_token_that_may_not_write_is_rejected_before_anything_changes(server, name):
    server.write_policy("reader", 'path "secret/data/*" { capabilities = ["read"] }')
    reader = server.plant("reader").token
    made = connect(Connection("v", "vault", endpoint_url=server.address, credential=lambda: reader))
    with pytest.raises(Rejected) as refusal:
        made.stage(name, NEW, TOKEN)
    assert refusal.value.reason == "permission_denied"
    assert server.get(name) == OLD


@pytest.mark.parametrize("holds", ["something", "nothing", "what was deleted"])
@pytest.mark.parametrize("lacking", lacking_one(POLICY), ids=lambda each: each[0].replace("/", "."))
def test_without_one_capability_what_is_refused_is_told_and_the_rest_is_done(server, lacking, holds):
    server.write_policy("lacking", lacking[1])
    wide, narrow = (
        connect(Connection("v", "vault", endpoint_url=server.address, credential=lambda own=own: own))
        for own in (server.rotator.token, server.plant("lacking").token)
    )
    place = f"{holds} asked/{lacking[0]}".replace(" ", "-")
    if holds != "nothing":
        server.put(place, OLD)
    if holds == "what was deleted":
        server.call("DELETE", f"secret/data/{place}")
    before = wide.current(place)

    def promote():
        for _ in range(2):  # as after a crash
            version = narrow.stage(place, NEW, TOKEN)
        narrow.promote(place, version, before)

    def demote():
        now = wide.promote(place, wide.stage(place, NEW, "another"), wide.current(place))
        narrow.demote(place, now, before)

    acts = {"look": lambda: (narrow.current(place), narrow.staged(place, TOKEN)), "promote": promote, "demote": demote}
    assert assert_told_truly(narrow, place, acts)


def test_of_names_that_nobody_gave_nothing_is_told_and_of_an_unfit_mount_neither(server, store):
    assert {each.granted for each in store.permissions(None)} == {None}
    server.call("POST", "sys/mounts/old", {"type": "kv", "options": {"version": "1"}})
    unfit = Connection(
        "v", "vault", endpoint_url=server.address, credential=lambda: server.root, settings={"mount": "old"}
    )
    with pytest.raises(Rejected, match="not_kv_v2"):
        connect(unfit).permissions("app")
