"""A vendor is paused: all that it holds is cut by an ordinary incident, as surely as each kind allows, and stays so."""

from __future__ import annotations

import json

import pytest

from rotator import attribution, letting_in, pausing, response
from rotator.credential import Leaked
from rotator.errors import BadInput
from rotator.examining.vendors import vendors
from rotator.flow.exposure import LIST, Exposure
from rotator.flow.incident import Severity
from rotator.flow.inventory import Said as Entry
from rotator.flow.narrowing import Reach
from rotator.flow.playbook_words import Strategy
from rotator.flow.proof import Evidence
from rotator.flow.registry import Said, Sort
from rotator.ledger import pauses, tables
from rotator.ledger.vendor_chains import altered
from rotator.operations import runs
from rotator.planned_pause import Wanted
from rotator.ports.connection import Connection
from rotator.ports.listing import Discovered
from rotator.report.incident import build, exit_code
from rotator.report.paused import paused
from rotator.shown import incidents
from rotator.uncut import uncut_by_each
from tests.drills.world import ground
from tests.fakes.company import founded
from tests.fakes.vendors_paused import pause

KEY, TOKEN, VAULT, SSH, GRANT = (
    "aws_iam_access_key",
    "acme_api_token",
    "vault_token",
    "ssh_authorized_key",
    "aws_role_trust",
)
SECRET_AT = "vendors/acme"


class House:
    """A company whose vendor `acme` holds what is planted for it, on a ledger."""

    def __init__(self, here):
        self.here, self.parts, self.company = here, here.parts, here.company
        self.company.let_in(GRANT)
        self.parts.connections.append(Connection(f"account-of-{GRANT}", GRANT))
        self.registered(acme={"owner": "jana", "contacts": ["soc@acme.test"], "criticality": "critical"})

    def registered(self, **vendors):
        self.parts.vendors.take([Said(Sort.VENDOR, name, told, "v.yaml") for name, told in vendors.items()], "ana")

    def holds(self, kind, vendor="acme", **keys):
        """Give the vendor a credential, as the inventory has it; return it with its material."""
        ref, secret = self.company.plant(kind, f"{vendor}-{kind}")
        match = {"provider": ref.provider, "connection": ref.connection, "owner": ref.owner, "id": ref.id}
        self.parts.inventory.take([Entry(match, {"vendor": vendor, "reads": [], **keys}, "i.yaml")], "ana")
        return ref, secret

    def delivered(self, kind, document, name=SECRET_AT):
        ref, secret = self.holds(kind, deliver=[{"store": "fake", "connection": "kv", "name": name}])
        field = self.here.deployment.outside.provider(ref).secret_field
        self.company.store.put(name, json.dumps(document(ref, secret, field)))
        return ref, secret

    def plans(self, reason="breached", **more):
        return pausing.prepare(self.parts, Wanted("acme", reason, **more), "ana")

    def paused(self, **more):
        found = self.plans(**more)
        return pausing.declare(self.parts, found, "ana", approved=True).incident.id, found

    def rest(self):
        self.here.deployment.rest()

    def report(self, incident):
        return build(self.parts.reading.incident(incident))

    def uncut(self):
        self.parts.look_again()
        found = uncut_by_each(self.parts, [each for each in self.parts.pauses.every() if each.is_open])
        return [each.ref for each in found.get("acme", [])]

    def refs(self, found):
        return {run.ref for run in found.prepared.plan.runs}


@pytest.fixture
def house(tmp_path, monkeypatch):
    here = ground(*founded(tmp_path), monkeypatch)
    yield House(here)
    here.deployment.database.close()


def whole(ref, secret, field):
    return {"id": ref.id, field: secret.reveal()}


def test_all_that_a_vendor_holds_is_cut_as_surely_as_each_kind_allows_and_nothing_is_made(house):
    delivered, _ = house.delivered(KEY, whole)
    reported, secret = house.holds(TOKEN, datasets=["patients"])
    without, _ = house.holds(VAULT)
    doors, _ = house.holds(SSH)
    grant, _ = house.holds(GRANT)
    by_hand = Entry({"provider": "unheard_of", "id": "their-login"}, {"vendor": "acme"}, "i.yaml")
    house.parts.inventory.take([by_hand], "ana")
    told = Exposure("list", TOKEN, Leaked(secret=secret, connection=reported.connection), path="their/mail", line=1)

    incident, found = house.paused(told=[told], notices=["PYSEC-2026-2"])
    assert {run.strategy for run in found.prepared.plan.runs} == {Strategy.REVOKE_ONLY}
    assert house.refs(found) == {delivered, reported, without, doors, grant}
    house.rest()

    runs = {each.run.ref: each.run for each in house.parts.reading.incident(incident).runs}
    assert {ref: run.evidence for ref, run in runs.items()} == {
        delivered: Evidence.PROVEN,
        reported: Evidence.PROVEN,
        without: Evidence.STATED,
        doors: Evidence.STATED,
        grant: Evidence.STATED,
    }
    assert house.here.alive() == set()
    assert house.company.world.done("issuer.issue") == house.company.world.done("store.promote") == []
    (task,) = house.parts.reading.incident(incident).manual
    assert task.mend.startswith("jana (at acme: soc@acme.test): ")
    report = house.report(incident)
    assert (report["incident"]["severity"], report["incident"]["title"]) == ("critical", "PAUSE acme: breached")
    assert exit_code(report) == 3
    assert house.parts.pauses.of("acme").notices == ("PYSEC-2026-2",)
    assert house.parts.pauses.of("acme").datasets == {"patients": ""}


def test_the_pause_is_written_with_its_incident_or_neither_is(house, monkeypatch):
    house.holds(TOKEN)
    found = house.plans()

    def fails(*_):
        raise RuntimeError

    act = pauses.vendors.act
    monkeypatch.setattr(pauses.vendors, "act", fails)
    with pytest.raises(RuntimeError):
        pausing.declare(house.parts, found, "ana", approved=True)
    monkeypatch.setattr(pauses.vendors, "act", act)
    assert house.parts.reading.incidents() == []
    pausing.declare(house.parts, found, "ana", approved=True)
    with pytest.raises(BadInput, match="paused already"):
        pausing.declare(house.parts, found, "ben", approved=True)
    assert len(house.parts.reading.incidents()) == 1


def test_what_is_read_is_believed_by_its_issuer_alone_and_is_evidence_whoever_goes_on(house):
    mine, _ = house.delivered(TOKEN, whole, "right")
    house.delivered(VAULT, lambda *_: {"id": "KEY99999", "token": "another's"}, "anothers")
    other, _ = house.holds(KEY)
    found = house.plans()
    assert set(found.prepared.materials) == {mine}
    [record] = [each for each in house.here.deployment.evidence("vendor.acme") if each["act"] == "material_read"]
    assert {each["place"]: each["believed"] for each in record["read"]} == {
        "fake:kv:right": True,
        "fake:kv:anothers": False,
    }
    assert any("another credential's" in note for note in found.notes)
    assert "1 can be knocked with: 0 reported, 1 read from where it is delivered" in found.notes
    assert house.parts.reading.incidents() == []

    unread = house.plans(reads=False)
    assert unread.prepared.materials == {}
    assert len([e for e in house.here.deployment.evidence("vendor.acme") if e["act"] == "material_read"]) == 1
    assert other in house.refs(unread)


def test_of_a_report_what_the_vendor_does_not_hold_is_left_and_said_so(house):
    mine, secret = house.holds(TOKEN)
    strange, other = house.company.plant(TOKEN, "somebody")
    told = [
        Exposure("list", TOKEN, Leaked(id=each.id, secret=material), path="mail", line=number)
        for number, (each, material) in enumerate([(mine, secret), (strange, other)])
    ]
    unknown = Exposure("list", "unheard_of", Leaked(id="x"), path="mail", line=9)
    found = house.plans(told=[*told, unknown])
    assert house.refs(found) == {mine}
    assert f"left, since nothing says that acme holds it: {TOKEN} {strange.id}" in found.notes
    assert any(note.startswith("left, since nobody can say whose it is: ") for note in found.notes)


def test_a_vendor_of_which_nobody_knows_what_it_holds_is_paused_all_the_same_and_that_is_a_task(house):
    incident, found = house.paused()
    assert found.unknown
    [task] = house.parts.reading.incident(incident).manual
    assert task.reason.startswith("nobody knows of anything that acme holds")
    assert exit_code(house.report(incident)) == 3
    assert house.parts.pauses.paused() == {"acme"}


def test_paused_again_it_adds_what_the_vendor_holds_by_now_to_the_same_incident_and_nothing_twice(house):
    first, _ = house.holds(TOKEN)
    incident, _ = house.paused()
    house.rest()
    again = house.plans()
    assert again.is_nothing
    assert again.there.incident == incident

    second, _ = house.holds(VAULT)
    found = house.plans()
    assert (found.is_nothing, house.refs(found)) == (False, {second})
    added = pausing.add(house.parts, found, "ben")
    house.parts.enrolment.approve(incident, added.revision.digest, "ben")
    house.rest()
    assert {each.run.ref for each in house.parts.reading.incident(incident).runs} == {first, second}
    assert house.here.alive() == set()
    assert house.plans().is_nothing
    assert [e["act"] for e in house.here.deployment.evidence("vendor.acme")][-1] == "vendor_paused_again"


def test_paused_again_what_is_reached_by_now_is_to_be_checked_too_and_what_was_kept_stays(house):
    said = [
        Said(Sort.DATASET, name, {"sensitivity": "high", "manifest": name}, "v.yaml")
        for name in ("patients", "staff", "wages")
    ]
    house.parts.vendors.take(said[:2], "ana")
    first, _ = house.holds(TOKEN, datasets=["patients", "wages"], reads=["kv:their/*"])
    incident, _ = house.paused()
    assert house.parts.pauses.of("acme").datasets == {"patients": "patients", "wages": ""}
    house.parts.vendors.take(
        [said[2], Said(Sort.DATASET, "patients", {"sensitivity": "high", "manifest": "other"}, "v.yaml")], "ana"
    )
    house.registered(acme={"datasets": ["staff"]})

    found = house.plans()
    assert (found.plans_nothing, found.is_nothing) == (True, False)
    assert pausing.add(house.parts, found, "ben").revision is None
    house.holds(VAULT, datasets=["audit"], reads=["vault:new"])
    house.parts.inventory.take([Entry({"id": first.id}, {"vendor": "acme", "reads": ["kv:*"]}, "j.yaml")], "ana")
    found = house.plans()
    pausing.add(house.parts, found, "cid")
    assert house.plans().is_nothing
    pause = house.parts.pauses.of("acme")
    assert pause.datasets == {"patients": "patients", "wages": "wages", "staff": "staff", "audit": ""}
    # What is said since of what was cut then is no reach that it had then.
    assert pause.reach == Reach(("kv:their/*", "vault:new"), (), ("audit", "patients", "wages"))
    facts = letting_in.facts(house.parts, pause)
    assert (facts.before, facts.pausers) == ((pause.reach,), {"ana", "ben", "cid"})
    assert altered(house.here.deployment.database) == []
    assert incident == pause.incident


def test_who_adds_to_a_pause_that_is_over_or_was_added_to_meanwhile_writes_nothing(house):
    house.holds(TOKEN)
    house.paused()
    house.holds(VAULT)
    found = house.plans()
    with house.here.deployment.database.write() as connection:
        pauses.restore(connection, found.there, "bob", "clean", 1.0, {})
    before = house.here.deployment.rows("evidence")
    with pytest.raises(BadInput, match="not paused any more"):
        pausing.add(house.parts, found, "ben")
    assert house.here.deployment.rows("evidence") == before
    assert len(house.here.deployment.rows("run")) == 1


def test_hygiene_that_was_half_way_promotes_nothing_once_its_vendor_is_paused(house):
    ref, _ = house.delivered(TOKEN, whole)
    scoped = house.plans(reads=False).prepared.scoped
    house.here.deployment.start(scoped, wanted=Strategy.REPLACE_FIRST, incident="inc-1")
    stopped = []

    def meet(phase, what, _changes):
        if (phase, what) == ("after", "issuer.issue") and not stopped:
            stopped.append(what)
            house.paused()

    house.company.world.meet = meet
    house.rest()
    assert stopped
    assert house.company.world.done("store.promote") == []
    assert ref.id not in house.here.alive()


def test_who_releases_it_all_the_same_says_for_whom(house):
    ref, _ = house.delivered(TOKEN, whole)
    scoped = house.plans(reads=False).prepared.scoped
    pause(house.parts, "acme")
    house.here.deployment.start(scoped, incident="inc-1")
    house.rest()
    step = next(each for each in house.report("inc-1")["credentials"][0]["next"])
    given = (house.parts, "eve", "inc-1.r1", step["step"], "they are clean, and their users wait")
    with pytest.raises(BadInput, match="acme is paused: nothing new is made for it"):
        runs.release(*given)
    assert runs.release(*given, "acme")["meant"].startswith("it is made although acme is paused")
    house.rest()
    assert house.company.world.done("store.promote") != []
    assert house.report("inc-1")["credentials"][0]["risk_accepted_of"] == ["the paused vendor acme"]
    assert ref.id not in house.here.alive()


def test_a_plan_replaces_nothing_that_a_paused_vendor_holds_beside_the_one_that_the_inventory_names(house):
    house.registered(beta={"holds": [{"owner": "acme-acme_api_token"}]})
    pause(house.parts, "beta")
    house.delivered(TOKEN, whole)
    [run] = house.plans(reads=False).prepared.plan.runs
    assert run.strategy is Strategy.REVOKE_ONLY  # acme is about to be paused
    [scoped] = house.plans(reads=False).prepared.scoped
    suspects = attribution.suspects(house.parts, scoped.exposures)
    [run] = response.prepare(house.parts, suspects, Strategy.CONTAIN_FIRST).plan.runs
    assert (run.strategy, run.why) == (
        Strategy.REVOKE_ONLY,
        "beta, which holds it, is paused: nothing new is made for it",
    )


def test_what_was_planned_before_somebody_said_whose_it_is_is_not_replaced_though_no_issuer_listed_it(house):
    theirs, _ = house.company.plant(TOKEN, "theirs")
    place = {"store": "fake", "connection": "kv", "name": SECRET_AT}
    house.parts.inventory.take([Entry({"owner": "theirs"}, {"reads": [], "deliver": [place]}, "i.yaml")], "ana")
    house.parts.look_again()
    named = Leaked(id=theirs.id, owner=theirs.owner, connection=theirs.connection)
    asked = attribution.suspects(house.parts, [Exposure(LIST, TOKEN, named, "a.csv")])
    made = response.prepare(house.parts, asked, Strategy.CONTAIN_FIRST)
    words = {"title": "leaked", "severity": Severity.HIGH, "detected_at": 0.0, "exposed_at": None, "shown": {}}
    incident = response.declare(house.parts, made, **words, by="ana", approved=True).id
    house.registered(acme={"holds": [{"owner": "theirs"}]})
    house.paused()
    house.rest()
    [run] = house.parts.reading.incident(incident).runs
    assert [(each.name, each.reason) for each in run.steps if each.state == "held"] == [
        ("issue", "vendor_paused: acme")
    ]


def test_what_is_found_since_is_told_as_held_and_not_cut(house):
    house.holds(TOKEN)
    house.paused()
    new, _ = house.company.plant(VAULT, "theirs")
    house.registered(acme={"holds": [{"owner": "theirs"}]})
    assert [(ref.owner, ref.id) for ref in house.uncut()] == [("theirs", "")]  # nobody knows which it is
    house.parts.inventory.keep(VAULT, new.connection, [Discovered(new, {})])
    assert house.uncut() == [new]
    [finding] = [each for each in vendors(house.parts, "rotator") if not each.well]
    assert f"HOLDS what was found since and nobody has cut: {VAULT} {new.id}" in finding.what
    [told] = incidents.report(house.parts, house.parts.pauses.of("acme").incident)["incident"]["pauses"]
    assert [(each["provider"], each["id"]) for each in told["uncut"]] == [(VAULT, new.id)]
    assert any("HELD AND NOT CUT: acme holds" in line.plain for line in paused({"pauses": [told]}))


def test_nobody_pauses_who_is_not_registered_or_without_a_reason(house):
    with pytest.raises(BadInput, match="no vendor is registered by this name"):
        pausing.prepare(house.parts, Wanted("amce", "breached"), "ana")
    with pytest.raises(BadInput, match="reason"):
        house.plans(reason=" ")
    assert house.here.deployment.rows(tables.pause.name) == []
