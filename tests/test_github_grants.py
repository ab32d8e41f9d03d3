"""A collaborator whom somebody wrote down by his login alone is the one whom GitHub lists by his number: once."""

from __future__ import annotations

import json

import pytest

from rotator.credential import Leaked
from rotator.flow.exposure import Exposure
from rotator.flow.inventory import Said as Entry
from rotator.flow.numbered import KINDS
from rotator.held import held_by
from rotator.ports.connection import Connection
from rotator.ports.provider import State
from tests.contracts.cases import github_app_installation as apps
from tests.contracts.cases.github_collaborator import NAME, connected, plant
from tests.drills.world import ground
from tests.fakes.company import founded
from tests.fakes.github_trust import fake_trust
from tests.test_pausing import House

ALONE = "by its name alone"


class Trusting(House):
    """A company that trusts its vendor `acme` at GitHub."""

    def __init__(self, here, server):
        super().__init__(here)
        self.server = server
        for name, provider in ((NAME, connected(server.address)), (apps.NAME, apps.connected(server.address))):
            self.company.outside.providers[name, name] = here.deployment.outside.providers[name, name] = provider
            self.parts.connections.append(Connection(name, name))
        here.deployment.outside.is_grant = lambda kind: kind in KINDS

    def says(self, name, kind=NAME, **more):
        entry = Entry({"provider": kind, **more, "id": name}, {"vendor": "acme", "reads": []}, "i.yaml")
        self.parts.inventory.take([entry], "ana")

    def lists(self, kind=NAME):
        found = list(self.company.outside.providers[kind, kind].discover())
        self.parts.inventory.keep(kind, kind, found)

    def held(self):
        self.parts.look_again()
        return held_by(self.parts, self.parts.vendors.one("acme"))

    def holds_by(self):
        return [(each.ref.id, each.how.partition(ALONE)[1]) for each in self.held()]


@pytest.fixture
def server():
    with fake_trust() as running:
        yield running


@pytest.fixture
def house(tmp_path, monkeypatch, server):
    here = ground(*founded(tmp_path), monkeypatch)
    yield Trusting(here, server)
    here.deployment.database.close()


@pytest.fixture
def listed(server):
    return plant(server)[0]


def without_number(ref):
    return ref.id.partition(":")[0]


def login(ref):
    return without_number(ref).rpartition("/")[2]


def test_who_is_written_without_a_number_and_is_an_account_of_the_vendor_is_held_once_and_cut(house, listed):
    house.says(without_number(listed).lower())
    house.registered(acme={"accounts": [login(listed)], "holds": [{"provider": NAME, "id": without_number(listed)}]})
    assert house.holds_by() == [(without_number(listed).lower(), ALONE)], "in either case it is one"
    house.lists()
    assert house.holds_by() == [(listed.id, ALONE)], "it is who is listed, as far as a login tells"
    incident, found = house.paused()
    assert house.refs(found) == {listed}
    house.rest()
    [run] = house.parts.reading.incident(incident).runs
    assert house.company.outside.providers[NAME, NAME].inspect(listed).state is State.ABSENT
    house.lists()
    [held] = house.held()
    assert (held.ref, held.death.run) == (listed, run.run.id)
    assert house.uncut() == []


def test_who_was_listed_only_after_he_was_cut_by_his_login_is_dead_and_nothing_new(house, listed):
    house.says(without_number(listed))
    assert house.holds_by() == [(without_number(listed), ALONE)]
    _, found = house.paused()
    assert house.refs(found) == {listed}
    assert ALONE in json.dumps(found.shown), "who approves is told by what he is known"
    house.lists()
    assert house.holds_by() == [(listed.id, ALONE)]
    assert house.uncut() == [], "what GitHub numbers since is what was paused"
    house.rest()
    [held] = house.held()
    assert held.death is not None


def test_a_login_that_another_has_taken_since_is_somebody_else(house, server, listed):
    house.says(without_number(listed))
    house.paused()
    house.rest()
    server.rename(login(listed), "gone-elsewhere")
    server.repositories[listed.owner][login(listed)] = "write"
    house.lists()
    other = listed.with_id(f"{without_number(listed)}:{server.number(login(listed))}")
    assert other != listed
    assert house.uncut() == [other], "he was never cut"
    assert {each.ref: each.death is not None for each in house.held()} == {listed: True, other: False}


def test_a_number_wins_over_a_name_however_its_user_is_called_now(house, server, listed):
    house.says(listed.id)
    server.rename(login(listed), "renamed")
    server.repositories[listed.owner][login(listed)] = "write"
    house.lists()
    assert house.holds_by() == [(f"{listed.owner}/renamed:{listed.id.partition(':')[2]}", "")]


def test_of_a_report_by_number_what_the_vendor_holds_by_name_is_answered(house, listed):
    house.says(without_number(listed), connection=NAME, owner=listed.owner)
    found = house.plans(told=[Exposure("list", NAME, Leaked(id=listed.id), path="mail", line=1)])
    assert house.refs(found) == {listed}
    assert not any(note.startswith("left") for note in found.notes)


def test_what_is_said_by_name_alone_holds_of_whom_an_issuer_numbers(house, listed):
    row = Entry({"provider": NAME, "id": without_number(listed)}, {"vendor": "acme", "reads": ["vault:kv"]}, "i.yaml")
    house.parts.inventory.take([row], "ana")
    house.parts.look_again()
    assert house.parts.custodies.of(listed).reads == ("vault:kv",), "he was not listed yet"


def test_an_app_that_is_written_by_its_name_is_the_one_that_is_installed(house, server):
    made, _ = apps.plant(server)
    house.says(without_number(made), apps.NAME)
    house.lists(apps.NAME)
    assert house.holds_by() == [(made.id, ALONE)]
