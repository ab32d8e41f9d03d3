"""A paused vendor is let in once every gate is open by what is so then, on both ledgers; all of it is evidence."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select, update

from rotator import clock, datasets, readings, restoring
from rotator.bootstrap import Rotator
from rotator.credential import CredentialRef
from rotator.datasets import Asked
from rotator.errors import BadInput, NotAllowed
from rotator.flow.approval import Role
from rotator.flow.checklist import CUT, DEFAULT, Asks, Gate, frozen
from rotator.flow.exposure import Disposition
from rotator.flow.gates_given import last_evidence, may_not_approve
from rotator.flow.inventory import Said as Entry
from rotator.flow.narrowing import Reach
from rotator.flow.playbook_words import Strategy
from rotator.flow.registry import Listed, Said, Sort
from rotator.flow.scope import Unresolved
from rotator.flow.vendor import Attestation, Software
from rotator.ledger import pause_gates, pauses, tables, vendor_chains
from rotator.ledger.dismissing import Dismissing
from rotator.ledger.inventory import Inventory
from rotator.ledger.manifests import Manifests
from rotator.ledger.pauses import Pause
from rotator.ledger.tokens import Tokens
from rotator.ledger.vendors import Vendors
from rotator.manifests import comparing
from rotator.manifests.hashing import Meter
from rotator.operations.vendor_memo import made
from rotator.ports.listing import Discovered
from rotator.restoring import Given, Paper, meet, restore, standing
from rotator.settings.file import load
from rotator.settings.triggers import TriggerSettings
from tests.fakes.actors import of
from tests.fakes.deployment import broken_chains
from tests.fakes.issuer import Issuer
from tests.fakes.parts import Cuts, Doorless, Preserves, Suspends
from tests.fakes.vendors_paused import override

KEY, TRUST = "aws_iam_access_key", "aws_role_trust"
ADVISORY = json.dumps(
    {
        "id": "GHSA-5mg7-485q-xm76",
        "affected": [{"package": {"ecosystem": "PyPI", "name": "litellm"}, "versions": ["1.82.7"]}],
    }
)
TASK = Unresolved(None, "the vendor's badge", (), "no machine can take it back", "ask at the door")
PEOPLE = "".join(
    f'[[people]]\nname = "{name}"\nroles = ["{role}"]\n'
    for name, role in {"ana": "responder", "bob": "approver", "cid": "approver", "eva": "responder"}.items()
)
RULES = f'data_dir = "data"\n[approval]\nfour_eyes = true\n{PEOPLE}'


class House:
    """A vendor that is paused, in a deployment of fakes, and what people do to let it in."""

    def __init__(self, folder, company, deployment, text=RULES):
        self.folder, self.company, self.deployment = folder, company, deployment
        (folder / "rotator.toml").write_text(text)
        self.parts = Rotator(load(folder / "rotator.toml"))
        database, now = deployment.database, clock.now
        self.parts.__dict__ |= {"database": database, "manifests": Manifests(database, now)}
        self.parts.__dict__ |= {"vendors": Vendors(database, now), "inventory": Inventory(database, now)}
        (folder / "people").mkdir()
        (folder / "people" / "a.csv").write_text("ana,1\n")
        said = [
            Said(Sort.VENDOR, "acme", {"criticality": "high"}, "vendors.yaml"),
            Said(Sort.DATASET, "people", {"sensitivity": "high", "manifest": "people-1"}, "vendors.yaml"),
        ]
        self.parts.vendors.take(said, "ana")
        datasets.record(self.parts, "people-1", Asked(str(folder / "people"), "ana"), Meter())

    def pause(self, *kinds, tasks=(TASK,), checklist=(CUT, *DEFAULT), manifest="people-1"):
        """Pause it: what it holds of these kinds is cut."""
        self.deployment.world.wait_until(clock.now() + 60)  # what was recorded was so before anybody saw anything
        scoped = [self.company.stolen(kind, "acme-ci")[0] for kind in kinds]
        for at, each in enumerate(scoped):
            self.knows(each.ref, at, vendor="acme", reads=["aws:all/*"], datasets=["people"])
        self.deployment.declare(scoped, tasks, wanted=Strategy.REVOKE_ONLY, incident="inc-9")
        with self.parts.database.write() as connection:
            notices = ()
            reached = {"people": manifest}
            given = Pause(
                "acme", 0, "inc-9", clock.now(), "ana", "breached", frozen(checklist), notices, datasets=reached
            )
            given = replace(given, reach=Reach(("aws:all/*",), (), ("people",)) if scoped else Reach())
            pauses.begin(connection, given, {}, [each.ref for each in scoped])
        return scoped

    def knows(self, ref, at=9, **keys):
        match = {"provider": ref.provider, "connection": ref.connection, "owner": ref.owner, "id": ref.id}
        self.parts.inventory.take([Entry(match, keys, f"inventory.yaml, line {at}")], "ana")
        self.parts.look_again()

    def cut(self):
        """Carry the incident of the pause out, until all of it is dead and its tasks are done."""
        record = self.deployment.record("inc-9")
        self.deployment.enrolment.approve("inc-9", record.plan_digest, by="bob")
        self.deployment.rest()
        dismissing = Dismissing(self.parts.database, clock.now)
        for each in record.manual:
            dismissing.dismiss("inc-9", each.id, Disposition.ALREADY_DEAD, "eva", "the door says so")

    def verify(self, incident="", by="eva", name="people-1"):
        asked = Asked(str(self.folder / "people"), by, incident=incident)
        return datasets.verify(self.parts, name, asked, Meter())

    def meet(self, gate, by="eva", **given):
        return meet(self.parts, by, "acme", gate, Given(given.pop("reason", "looked at it"), **given))

    def report(self):
        digest = hashlib.sha256(b"they are out").hexdigest()
        today = datetime.fromtimestamp(clock.now(), UTC).date()
        return self.meet("forensics", paper=Paper("report.pdf", digest, 12), sender="Forensics Ltd", dated=today)

    def believes(self):
        today = datetime.fromtimestamp(clock.now(), UTC).date()
        self.parts.vendors.attest("acme", Attestation("soc2", "Auditors", "all", today, today), "ana")
        return self.meet("attestations", reason="their auditor answered the telephone")

    def software(self, version="1.82.9", advisory=ADVISORY):
        runs = Listed("sbom", "0" * 64, (Software("PyPI", "litellm", version, "sbom"),), clock.now(), 0)
        self.parts.vendors.runs("acme", runs, "ana")
        return self.meet("software", paper=Paper("advisory.json", "1" * 64, len(advisory), advisory))

    def meets_all(self):
        self.cut()
        self.verify()
        self.report()
        self.believes()
        self.software()
        self.meet("approval", "bob")

    def shut(self):
        return [each.gate.name for each in standing(self.parts, "acme").gates if not each.is_open]

    def restore(self, by="bob", names=(), *, grants=False):
        return restore(self.parts, by, "acme", "it is clean", names, grants=grants)

    def is_paused(self):
        with self.parts.database.read() as connection:
            return pauses.pause_of(connection, "acme") is not None

    def chain(self, name):
        evidence = tables.evidence
        query = select(evidence.c.body).where(evidence.c.chain == name).order_by(evidence.c.seq)
        with self.parts.database.read() as connection:
            return [json.loads(each) for each in connection.execute(query).scalars()]

    def broken(self):
        """Return what is wrong with the chains of incidents and runs: those of others have their rows elsewhere."""
        return [each for each in broken_chains(self.deployment) if "belongs to nothing" not in each]

    def rows(self):
        query = select(tables.pause_gate).order_by(tables.pause_gate.c.nth)
        with self.parts.database.read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]


def ticking(world):
    """Return a clock that shows no moment twice: of two acts of one moment nobody could tell which was first."""
    ticks = itertools.count()
    return lambda: world.now() + next(ticks) / 1000


@pytest.fixture
def acme(tmp_path, house, monkeypatch):
    company, deployment = house
    monkeypatch.setattr(clock, "now", ticking(deployment.world))
    return House(tmp_path, company, deployment)


def test_a_vendor_is_refused_until_the_last_gate_is_met_and_each_shut_one_is_named(acme):
    acme.pause(KEY)
    # It holds nothing new: only that gate is open at once.
    left = ["cut", "forensics", "attestations", "software", "datasets", "approval"]
    assert acme.shut() == left
    for gate, met in [
        ("cut", acme.cut),
        ("datasets", acme.verify),
        ("forensics", acme.report),
        ("attestations", acme.believes),
        ("software", acme.software),
        ("approval", lambda: acme.meet("approval", "bob")),
    ]:
        with pytest.raises(NotAllowed) as refused:
            acme.restore()
        assert all(f"{each}: " in refused.value.what for each in left)
        assert "rotator " in refused.value.mend or "ask at" in refused.value.mend
        met()
        left.remove(gate)
        assert acme.shut() == left
    assert acme.is_paused()
    acme.restore()
    assert not acme.is_paused()
    for chain in ("vendor.acme", "inc-9"):
        acts = [each["act"] for each in acme.chain(chain) if each["act"].startswith(("gate_", "vendor_res"))]
        assert acts == ["gate_given", "gate_said_yes", "gate_given", "gate_said_yes", "vendor_restored"]
    told = acme.chain("vendor.acme")[-1]
    assert [each["gate"] for each in told["gates"]] == [each.name for each in (CUT, *DEFAULT)]
    assert all(each["is_open"] and each["evidence"] for each in told["gates"])
    assert [row["gate"] for row in acme.rows() if row["act"] == "found"] == [each.name for each in (CUT, *DEFAULT)]
    assert acme.broken() == []


def test_a_dataset_that_was_altered_meanwhile_keeps_the_vendor_out_until_it_is_as_recorded_again(acme):
    acme.pause(KEY)
    acme.meets_all()
    file = acme.folder / "people" / "a.csv"
    before = file.read_text()
    file.write_text("mallory,1\n")
    acme.verify("inc-9")
    with pytest.raises(NotAllowed, match="people is not as it was recorded"):
        acme.restore()
    file.write_text(before)
    acme.verify()
    with pytest.raises(NotAllowed, match=r"since eva gave the last evidence \(the check of people, at"):
        acme.restore()
    acme.meet("approval", "bob")
    acme.restore()
    assert not acme.is_paused()


def test_who_says_later_that_it_reached_less_or_names_another_manifest_opens_nothing_by_that(acme):
    other = acme.folder / "other"
    other.mkdir()
    (other / "x").write_text("1\n")
    datasets.record(acme.parts, "other-1", Asked(str(other), "ana"), Meter())
    [old] = acme.pause(KEY)
    acme.meets_all()
    (acme.folder / "people" / "a.csv").write_text("mallory,1\n")
    acme.verify()
    datasets.verify(acme.parts, "other-1", Asked(str(other), "eva"), Meter())
    acme.knows(old.ref, 0, vendor="acme", reads=["aws:all/*"], datasets=[])
    acme.meet("approval", "bob")
    assert acme.shut() == ["datasets"]
    said = {"sensitivity": "high", "manifest": "other-1"}
    acme.parts.vendors.take([Said(Sort.DATASET, "people", said, "vendors.yaml")], "ana")
    assert acme.shut() == ["datasets", "approval"]


def test_a_check_of_a_copy_elsewhere_says_nothing_of_what_was_altered(acme):
    acme.pause(KEY)
    acme.meets_all()
    (acme.folder / "people" / "a.csv").write_text("mallory,1\n")
    acme.verify()
    copy = acme.folder / "copy"
    copy.mkdir()
    (copy / "a.csv").write_text("ana,1\n")
    assert datasets.verify(acme.parts, "people-1", Asked(str(copy), "eva"), Meter()).is_as_recorded
    acme.meet("approval", "bob")
    assert acme.shut() == ["datasets"]


def read_there(acme, name):
    to = acme.folder / name
    readings.write(acme.parts.settings, Asked(str(acme.folder / "people"), "dora"), to, Meter())
    return to.read_bytes()


def test_what_was_read_before_all_was_dead_opens_nothing_whenever_it_is_given(acme):
    def gives(raw):
        readings.keep(acme.parts, readings.look(acme.parts, "people-1", io.BytesIO(raw), "it", "inc-9"), "eva")

    acme.pause(KEY)
    early = read_there(acme, "early")
    acme.cut()
    gives(early)
    assert "datasets" in acme.shut()
    gives(read_there(acme, "late"))
    [gate] = [each for each in standing(acme.parts, "acme").gates if each.gate.name == "datasets"]
    assert gate.is_open
    assert "what dora read there, which eva gave," in gate.evidence[0]
    with pytest.raises(NotAllowed, match="eva gave the last evidence"):
        acme.meet("approval", "eva")


@pytest.mark.parametrize(
    ("table", "values", "named"),
    [
        (
            tables.manifest_check,
            {"altered": 0, "number": 2},
            "check 1 of manifest people-1, check 2 of manifest people-1",
        ),
        (tables.manifest, {"recorded_at": 1.0}, "manifest people-1"),
    ],
)
def test_a_check_or_a_recording_altered_past_the_service_lets_nobody_in_and_is_named(acme, table, values, named):
    acme.pause(KEY)
    acme.cut()
    (acme.folder / "people" / "a.csv").write_text("mallory,1\n")
    assert not acme.verify().is_as_recorded
    acme.report()  # nothing was altered yet
    assert vendor_chains.altered(acme.parts.database) == []
    with acme.parts.database.write() as connection:
        connection.execute(update(table).values(**values))
    assert vendor_chains.altered(acme.parts.database) == named.split(", ")
    with pytest.raises(BadInput, match=f"somebody altered it in the ledger: {named}"):
        acme.believes()


def test_a_check_that_began_before_all_was_dead_opens_nothing_however_late_it_ends(acme, monkeypatch):
    def compared_late(*given):
        acme.cut()
        return compare(*given)

    acme.pause(KEY)
    compare = comparing.compare
    with monkeypatch.context() as patch:
        patch.setattr(comparing, "compare", compared_late)
        assert acme.verify().is_as_recorded
    assert acme.shut()[-2:] == ["datasets", "approval"]
    acme.verify()
    assert "datasets" not in acme.shut()


def test_what_a_vendor_runs_is_compared_with_the_advisory_that_was_given_and_may_be_means_it_is(acme):
    acme.pause(KEY)
    acme.meets_all()
    for version in ("1.82.7", ""):
        acme.parts.vendors.runs(
            "acme", Listed("other", "2" * 64, (Software("PyPI", "litellm", version, "other"),), None, 0), "ana"
        )
        assert acme.shut() == ["software", "approval"]


FOUR_EYES = "and four eyes are asked for"


def checks(acme, by):
    acme.verify(by=by)


def lists(acme, by):
    acme.parts.vendors.runs("acme", Listed("later", "3" * 64, (), clock.now(), 0), by)


def attests(acme, by):
    acme.parts.vendors.attest("acme", Attestation("iso", "DNV", "all", date(2020, 1, 1), date(2030, 1, 1)), by)


def imports_attestations(acme, by):
    paper = {"kind": "soc2", "issuer": "EY", "valid_from": "2020-01-01", "valid_to": "2030-01-01"}
    known = acme.parts.vendors.told()[Sort.VENDOR, "acme"]["attestations"]
    acme.parts.vendors.take([Said(Sort.VENDOR, "acme", {"attestations": [*known, paper]}, "vendors.yaml")], by)


def names_a_manifest(acme, by):
    said = {"sensitivity": "high", "manifest": "people-3"}
    acme.parts.vendors.take([Said(Sort.DATASET, "people", said, "vendors.yaml")], by)


def says_what_is_reached(acme, by):
    match = {"provider": KEY, "owner": "acme-ci"}
    acme.parts.inventory.take([Entry(match, {"datasets": ["people"]}, "inventory.yaml")], by)


def says_that_a_task_is_done(acme, by):
    [task] = acme.deployment.record("inc-9").manual
    dismissing = Dismissing(acme.parts.database, clock.now)
    dismissing.reopen("inc-9", task.id, "eva", "look again")
    dismissing.dismiss("inc-9", task.id, Disposition.ALREADY_DEAD, by, "the door says so")


BRINGS = [checks, lists, attests, imports_attestations, names_a_manifest, says_what_is_reached]


def test_whoever_brought_the_last_evidence_of_whatever_sort_says_no_yes_himself_or_by_a_program(acme):
    acme.pause(KEY)
    acme.meets_all()
    Tokens(acme.parts.database, None, clock.now).create("ci", Role.RESPONDER, "", 60.0, "cid")
    told = []
    for brings in (*BRINGS, says_that_a_task_is_done):
        brings(acme, "bob")
        now = standing(acme.parts, "acme")
        told.append(last_evidence(now.facts, "approval").what)
        assert not restoring.gate_of(now, "approval").is_open
        assert may_not_approve(DEFAULT[-1], now.facts, "bob") == f"bob gave the last evidence ({told[-1]}), {FOUR_EYES}"
    assert len(set(told)) == len(told)
    checks(acme, "token ci")
    with pytest.raises(NotAllowed, match=r"cid gave the last evidence \(the check of people\)"):
        acme.meet("approval", "cid")
    acme.meet("approval", "bob")
    acme.restore()


def published(acme, at):
    told = {**json.loads(ADVISORY), "published": datetime.fromtimestamp(at, UTC).isoformat()}
    return acme.software(advisory=json.dumps(told))


def test_a_manifest_of_after_the_exposure_opens_nothing_and_an_older_one_of_the_same_place_does(acme):
    world, people = acme.deployment.world, acme.folder / "people"
    world.wait_until(clock.now() + 60)
    exposed_at = clock.now()
    world.wait_until(clock.now() + 60)
    was = (people / "a.csv").read_text()
    (people / "a.csv").write_text("mallory,1\n")
    datasets.record(acme.parts, "people-2", Asked(str(people), "ana"), Meter())
    acme.pause(KEY, manifest="people-2")
    acme.cut()
    assert acme.verify(name="people-2").is_as_recorded
    assert "datasets" not in acme.shut()  # nobody has said since when, and it was recorded before anybody saw anything
    published(acme, exposed_at)
    [gate] = [each for each in standing(acme.parts, "acme").gates if each.gate.name == "datasets"]
    told = datetime.fromtimestamp(exposed_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert f"people-2 was not recorded before {told} (when GHSA-5mg7-485q-xm76 was published)" in gate.left[0].says
    assert gate.todo == "rotator manifest verify people-1 --incident inc-9"
    assert not acme.verify().is_as_recorded
    assert "datasets" in acme.shut()
    (people / "a.csv").write_text(was)
    acme.verify()
    assert "datasets" not in acme.shut()
    published(acme, 1.0)  # before that, nothing was recorded
    [gate] = [each for each in standing(acme.parts, "acme").gates if each.gate.name == "datasets"]
    assert gate.left[0].says.startswith("the manifest people-2 of people is too young")
    with acme.parts.database.write() as connection:  # what somebody said is believed before any advisory
        connection.execute(update(tables.incident).values(exposed_at=exposed_at))
    assert "datasets" not in acme.shut()


def test_a_list_that_its_own_pipeline_sent_opens_nothing(acme):
    acme.pause(KEY)
    acme.cut()
    acme.software()
    assert "software" not in acme.shut()
    own = {"sender": "generic", "name": "sbom", "vendor": "acme", "secret": "file:own"}
    acme.parts.settings.triggers.append(TriggerSettings.model_validate(own))
    assert "software" in acme.shut()


def test_an_override_opens_its_own_gate_for_what_was_wrong_then_and_is_kept_for_good(acme):
    acme.pause(KEY)
    acme.meets_all()
    (acme.folder / "people" / "b.csv").write_text("new\n")
    acme.verify()
    told = override(acme.parts, "cid", "acme", "datasets", "the new file is our own nightly export")
    assert (told.is_open, told.is_overridden) == (True, True)
    assert acme.shut() == ["approval"]  # a yes stands on the last evidence, and this came later
    acme.meet("approval", "bob")
    acme.restore()
    with acme.parts.database.read() as connection:
        [kept] = pause_gates.overrides(connection, vendor="acme")
        assert pause_gates.overrides(connection, incidents=["inc-9"]) == [kept]
        assert pause_gates.overrides(connection, incidents=["inc-8"]) == []
    assert (kept.gate, kept.by, kept.reason) == ("datasets", "cid", "the new file is our own nightly export")
    assert kept.against == ("people is not as it was recorded",)
    assert "gate_overridden" in [each["act"] for each in acme.chain("inc-9")]


def test_an_override_of_a_dataset_that_differs_opens_nothing_for_what_differs_there_later(acme):
    acme.pause(KEY)
    acme.meets_all()
    (acme.folder / "people" / "b.csv").write_text("new\n")
    acme.verify()
    override(acme.parts, "cid", "acme", "datasets", "the new file is our own nightly export")
    acme.verify()
    assert acme.shut() == ["approval"]
    (acme.folder / "people" / "a.csv").write_text("mallory,1\n")
    acme.verify()
    assert acme.shut() == ["datasets", "approval"]


def test_the_memo_tells_which_dataset_differed_while_it_was_paused_and_since_when_no_more(acme):
    acme.pause(KEY)
    file = acme.folder / "people" / "a.csv"
    was = file.read_text()
    file.write_text("mallory,1\n")
    acme.verify()
    [_, told] = made(acme.parts, "ana", {"name": "acme"})["standing"]
    assert told.startswith("The dataset people DIFFERED as it was checked at ")
    assert "1 altered" in told
    assert "(altered: a.csv)" in told
    file.write_text(was)
    acme.verify()
    [_, told] = made(acme.parts, "ana", {"name": "acme"})["standing"]
    assert "DIFFERED" in told
    assert "As recorded again since" in told


def test_what_differs_since_it_was_looked_at_is_not_overridden_unseen(acme):
    acme.pause(KEY)
    acme.meets_all()
    (acme.folder / "people" / "b.csv").write_text("new\n")
    acme.verify()
    seen = restoring.gate_of(standing(acme.parts, "acme"), "datasets").seen_as
    (acme.folder / "people" / "a.csv").write_text("mallory,1\n")
    acme.verify()
    with pytest.raises(BadInput, match="something else keeps it shut than what was shown"):
        restoring.override(acme.parts, "cid", "acme", "datasets", "ours", seen)
    assert acme.shut() == ["datasets", "approval"]


def test_who_made_the_token_of_a_program_that_gave_the_last_evidence_does_not_approve(acme):
    acme.pause(KEY)
    Tokens(acme.parts.database, None, clock.now).create("ci", Role.RESPONDER, "", 60.0, "bob")
    acme.meet("software", "token ci", paper=Paper("advisory.json", "1" * 64, len(ADVISORY), ADVISORY))
    with pytest.raises(NotAllowed, match="bob gave the last evidence"):
        acme.meet("approval", "bob")
    acme.meet("approval", "cid")


def test_who_may_approve_nothing_overrides_and_lets_in_nothing(acme):
    acme.pause(KEY)
    for act in (lambda: override(acme.parts, "eva", "acme", "cut", "why not"), lambda: acme.restore("eva")):
        with pytest.raises(NotAllowed, match="eva may approve nothing"):
            act()
    assert acme.rows() == []


def test_neither_who_paused_it_nor_who_gave_the_last_evidence_approves(acme):
    acme.pause(KEY)
    acme.report()
    for by, why in (("ana", "paused it"), ("eva", "gave the last evidence")):
        with pytest.raises(NotAllowed, match=f"{by} {why}"):
            acme.meet("approval", by)


def test_nobody_approves_by_an_override_what_is_not_his_to_approve(acme):
    acme.pause(KEY)
    acme.meet("software", "bob")
    with pytest.raises(NotAllowed, match="bob gave the last evidence"):
        override(acme.parts, "bob", "acme", "approval", "in a hurry")


def test_of_two_gates_of_approval_neither_shuts_the_other(acme):
    asked = (CUT, Gate("forensics", Asks.DOCUMENT), Gate("one", Asks.APPROVAL), Gate("two", Asks.APPROVAL))
    acme.pause(KEY, checklist=asked)
    acme.cut()
    acme.meet("one", "bob")
    acme.report()
    assert acme.shut() == ["one", "two"]
    acme.meet("one", "bob")
    acme.meet("two", "cid")
    assert acme.shut() == []


def test_no_program_says_a_persons_word(acme):
    acme.pause(KEY)
    today = datetime.fromtimestamp(clock.now(), UTC).date()
    acme.parts.vendors.attest("acme", Attestation("soc2", "Auditors", "all", today, today), "ana")
    paper = Paper("report.pdf", "0" * 64, 1)
    for gate, given in (
        ("attestations", {}),
        ("software", {}),
        ("forensics", {"paper": paper, "sender": "Forensics Ltd", "dated": today}),
    ):
        with pytest.raises(NotAllowed, match="token ci is a program"):
            acme.meet(gate, "token ci", **given)
    assert acme.rows() == []
    acme.meet("software", "token ci", paper=Paper("advisory.json", "1" * 64, len(ADVISORY), ADVISORY))


def test_no_secret_is_kept_with_what_is_told_for_good(acme):
    acme.pause(KEY)
    secret = "ghp_" + "a1B2" * 9
    paper, today = Paper(f"{secret}.pdf", "0" * 64, 1), datetime.fromtimestamp(clock.now(), UTC).date()
    for act in (
        lambda: override(acme.parts, "cid", "acme", "cut", secret),
        lambda: restore(acme.parts, "bob", "acme", secret, (), grants=False),
        lambda: acme.meet("forensics", paper=paper, sender="Forensics Ltd", dated=today),
    ):
        with pytest.raises(BadInput, match="a secret seems to stand"):
            act()
    assert acme.rows() == []


NO_ANSWERS = [
    ("cut", {}, "nobody's word opens it"),
    ("datasets", {}, "nobody's word opens it"),
    ("credentials", {}, "nobody's word opens it"),
    ("forensics", {}, "it asks for a report"),
    ("forensics", {"paper": Paper("r", "0", 1), "sender": "x", "dated": date(2020, 1, 1)}, "dated 2020"),
    ("forensics", {"paper": Paper("r", "0", 0), "sender": "x", "dated": date(2020, 1, 1)}, "nothing in it"),
    ("attestations", {}, "none to believe"),
    ("approval", {"paper": Paper("r", "0", 1)}, "for no document"),
    ("software", {"paper": Paper("r", "0", 1, "{}")}, "no OSV record"),
    ("no-such", {}, "no such gate"),
    ("approval", {"reason": " "}, "a reason is needed"),
    ("approval", {"reason": "ghp_" + "a1B2" * 9}, "a secret seems to stand"),
]


def test_a_report_that_was_given_before_the_pause_is_none_on_it(acme):
    acme.pause(KEY)
    acme.meets_all()
    acme.restore()
    with acme.parts.database.write() as connection:
        again = Pause("acme", 0, "inc-9", clock.now() + 1, "ana", "again", frozen((CUT, *DEFAULT)))
        pauses.begin(connection, again, {})
    with pytest.raises(BadInput, match="given before the pause, for acme"):
        acme.report()


def test_what_is_no_answer_to_a_gate_is_refused_and_nothing_is_kept(acme):
    acme.pause()
    for gate, given, says in NO_ANSWERS:
        with pytest.raises(BadInput, match=says):
            acme.meet(gate, "bob", **given)
    assert acme.rows() == []


def test_what_it_holds_now_is_new_and_narrower_or_keeps_it_out(acme):
    [old] = acme.pause(KEY)
    acme.meets_all()
    token, key = CredentialRef("acme_api_token", "acme", "acme-ci", "tok-2"), old.ref.with_id("AKIANEW")

    def made(at, new=token, **keys):
        facts = {"created_at": datetime.fromtimestamp(at, UTC).isoformat()} if at else {}
        acme.parts.inventory.keep(new.provider, new.connection, [Discovered(new, facts)])
        acme.knows(new, vendor="acme", **keys)
        return standing(acme.parts, "acme").gates[5].left

    now = clock.now()
    assert [each.key.split()[0] for each in made(0, reads=["aws:all/one"])] == ["age"]
    assert [each.key.split()[0] for each in made(1.0, reads=["aws:all/one"])] == ["old"]
    assert [each.key.split()[0] for each in made(now, reads=None)] == ["reach"]
    assert [each.key for each in made(now, reads=["aws:all/*", "kv:x"], datasets=["people"])] == ["wider kv:x", "same"]
    assert made(now, reads=["aws:all/one"], datasets=["people"]) == ()
    # A key that lives until somebody ends it keeps it out, since its kind has a short-lived way.
    assert [each.key for each in made(now, key, reads=["aws:all/one"])] == [f"long {key}"]
    acme.parts.inventory.keep(KEY, "aws", [])
    acme.meet("approval", "bob")
    acme.restore()


def test_of_what_an_older_release_paused_nobody_says_what_it_reached_and_pausing_it_again_makes_nothing_up(acme):
    acme.pause(KEY)
    with acme.parts.database.write() as connection:
        connection.execute(update(tables.pause).values(reach="{}"))  # as its migration left it
        paused = pauses.pause_of(connection, "acme")
        pauses.again(connection, paused, replace(paused, reach=Reach(("kv:x",))), {"added": 1}, [])
        assert pauses.pause_of(connection, "acme").reach is None
    acme.knows(CredentialRef("acme_api_token", "acme", "acme-ci", "tok-2"), vendor="acme", reads=["kv:x"])
    [*_, unknown] = standing(acme.parts, "acme").gates[5].left
    assert "an older release paused it, and nobody knows any more" in unknown.says
    assert acme.broken() == []


def test_a_grant_that_was_only_suspended_is_given_back_by_name_and_all_else_stays_dead(acme):
    trust = of(Preserves, Suspends, Cuts, Doorless)(Issuer(acme.company.world, TRUST, "aws", 0.0))
    trust.settle_s = 0.0
    acme.company.outside.providers[TRUST, "aws"] = trust
    key, grant = acme.pause(KEY, TRUST, tasks=())
    acme.cut()
    acme.verify()
    acme.report()
    acme.believes()
    acme.software()
    acme.meet("approval", "bob")
    runs = {each.run.ref: each.run.id for each in acme.deployment.record("inc-9").runs}
    with pytest.raises(BadInput, match="no grant that was only suspended"):
        acme.restore(names=[runs[key.ref]])
    assert acme.is_paused()
    [resumed] = acme.restore(names=[grant.ref.id]).resumed
    assert resumed.run == runs[grant.ref]
    acme.deployment.rest()
    assert trust.inspect(grant.ref).state == "active"
    assert acme.company.living(key.ref) == set()
    assert acme.chain("vendor.acme")[-1]["resumed"] == [resumed.run]


def test_no_undo_gives_a_vendor_its_grant_back_while_it_is_paused(acme):
    trust = of(Preserves, Suspends, Cuts, Doorless)(Issuer(acme.company.world, TRUST, "aws", 0.0))
    trust.settle_s = 0.0
    acme.company.outside.providers[TRUST, "aws"] = trust
    [grant] = acme.pause(TRUST, tasks=())
    acme.cut()
    hands = acme.deployment.hands
    hands.undo("inc-9.r1", "contain", "bob", "they ask for it", hands.undoing("inc-9.r1", "contain"))
    acme.deployment.rest()
    assert trust.inspect(grant.ref).state == "suspended"
    [step] = [each for each in acme.deployment.record("inc-9").runs[0].steps if each.reason == "vendor_paused: acme"]
    with pytest.raises(BadInput, match=r"acme is paused: .* nothing it had is resumed"):
        hands.release("inc-9.r1", step.name, "bob", "faster")
    hands.decide("inc-9.r1", step.name, skip=True, by="bob", reason="it stays out")
    acme.deployment.rest()
    assert trust.inspect(grant.ref).state == "suspended"
    assert acme.broken() == []


def both(*acts):
    """Do them at once; return what each came to, an error or its answer."""

    def tried(act):
        try:
            return act()
        except BadInput as refused:
            return refused

    with ThreadPoolExecutor(len(acts)) as threads:
        return [each.result(30) for each in [threads.submit(tried, act) for act in acts]]


def test_of_two_who_let_it_in_at_once_one_does(acme):
    acme.pause(KEY)
    acme.meets_all()
    found = both(acme.restore, lambda: acme.restore("cid"))
    assert sum(isinstance(each, BadInput) for each in found) == 1
    assert [each["act"] for each in acme.chain("vendor.acme")].count("vendor_restored") == 1


def test_a_check_that_finds_an_altered_dataset_at_the_same_moment_comes_before_or_after_and_nothing_between(acme):
    acme.pause(KEY)
    acme.meets_all()
    (acme.folder / "people" / "a.csv").write_text("mallory,1\n")
    check, outcome = both(lambda: acme.verify("inc-9"), acme.restore)
    assert not check.is_as_recorded
    acts = [each["act"] for each in acme.chain("inc-9")]
    checked = len(acts) - 1 - acts[::-1].index("dataset_checked")
    if isinstance(outcome, NotAllowed):
        assert acme.is_paused()
        assert "vendor_restored" not in acts
    else:
        assert acts.index("vendor_restored") < checked
    assert acme.broken() == []


def test_an_override_at_the_same_moment_is_in_what_is_told_of_who_was_let_in_or_came_too_late(acme):
    acme.pause(KEY)
    acme.meets_all()
    (acme.folder / "people" / "a.csv").write_text("mallory,1\n")
    acme.verify()
    overridden, restored = both(
        lambda: override(acme.parts, "cid", "acme", "datasets", "ours"), lambda: acme.restore("bob")
    )
    # The yes was said before the override: it has to be said again, whichever was the first.
    assert isinstance(restored, NotAllowed)
    assert not isinstance(overridden, BadInput)
    assert acme.shut() == ["approval"]


def test_a_vendor_that_is_not_paused_has_no_gates_and_is_let_in_once(acme):
    with pytest.raises(BadInput, match="it is not paused"):
        standing(acme.parts, "acme")
    acme.pause(KEY)
    acme.meets_all()
    acme.restore()
    with pytest.raises(BadInput, match="it is not paused"):
        acme.restore()
