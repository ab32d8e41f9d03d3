"""The board's pages of vendors: by risk with its terms, one with all that can be done about it, and segmentation."""

from __future__ import annotations

import re

import pytest

from rotator.flow.approval import Role
from rotator.flow.checklist import DEFAULT, frozen
from rotator.flow.vendor_terms import Judged, Name
from rotator.shown import vendor_room
from tests.api.board.pages import page
from tests.api.calling import Api
from tests.fakes.vendors_paused import pause
from tests.shown.vendors import entry, filled, vendor

EVIL = "<script>alert(1)</script>"
PAGES = ("/vendors", "/vendors/acme", "/vendors/beta", "/vendors?standing=paused", "/triage", "/segmentation")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Return a board of four vendors, one of them paused, and a fifth that nobody registered."""
    parts = filled(tmp_path_factory.mktemp("board"))
    parts.vendors.take([vendor("acme", title=EVIL, user_impact={"level": "high", "why": EVIL})], "ben")
    parts.inventory.take([entry(7, "stranger", datasets=[EVIL], reachable_from=["host:build-1"])], "ben")
    parts.assessments.set("beta", Judged(Name.LIKELIHOOD, 0.9, "ana", 0.0, f"they rang {EVIL}", ""))
    parts.look_again()
    pause(parts, "beta", checklist=frozen(DEFAULT))
    yield Api(parts)
    parts.database.close()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_whole_runs_nothing_of_others_and_labels_every_field(served, path):
    found = page(served, path, Role.ADMIN)
    assert found.status == 200
    assert EVIL not in found.source
    assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=|javascript:", found.source)
    assert found.source.count("<h1") == 1
    assert [name for form in found.forms for name, label in form.fields.items() if not label] == []


def test_vendors_stand_by_risk_each_with_the_terms_that_it_is_of(served):
    text = page(served, "/vendors").text
    places = [text.index(each) for each in ("alert(1)", "Gamma", "Beta", "Delta", "stranger")]
    assert places == sorted(places)
    assert "likelihood 0.9they rang" in text
    assert "by ana" in text
    assert "the dataset payments is critical" in text
    assert "NOT REGISTERED" in text
    assert "Of 1 critical vendors 0 have a valid attestation." in text


@pytest.mark.parametrize(
    ("asked", "names"),
    [("standing=paused", {"beta"}), ("criticality=critical", {"gamma"}), ("q=aNa", {"acme"}), ("q=nothing", set()),
     ("standing=unattested", {"acme", "beta", "gamma", "delta"}), ("page=9", {"acme", "beta", "gamma", "delta"})],
)  # fmt: skip
def test_a_filter_leaves_those_that_are_so(served, asked, names):
    links = page(served, f"/vendors?{asked}").links
    assert {each.removeprefix("/vendors/") for each in links if each.startswith("/vendors/")} == names


def test_a_vendor_tells_what_it_holds_where_that_leads_and_by_whose_word(served):
    found = page(served, "/vendors/acme")
    for words in (
        "AKIAACME000000000001",
        "inventory: inventory.yaml",
        "payments",
        "high: <script>",
        "It was registered",
    ):
        assert words in found.text
    assert 'role="img"' in found.source
    assert page(served, "/vendors/none").status == 404


def test_what_is_drawn_leads_from_the_vendor_by_what_it_holds_to_datasets():
    held = {"kind": "k", "owner": "o", "id": "i", "datasets": ["d"]}
    far = {"kind": "k", "owner": "far", "id": "f", "via": ["it holds k o", "which reads k far"]}
    reaches = {"credentials": [far], "datasets": [{"name": "e", "via": ["it holds k o", "which reads k far"]},
                                                  {"name": "d", "via": ["it holds k o"]}]}  # fmt: skip
    drawn = vendor_room.drawing_of({"title": "V", "name": "v", "holds": [held], "reaches": reaches})
    assert [(depth, node.text, node.ids) for depth, node in drawn.nodes()] == [
        (0, "V", []),
        (1, "it holds k o", ["i"]),
        (2, "which opens", ["d"]),
        (2, "which reads k far", ["f"]),
        (3, "which opens", ["e"]),
    ]


def test_who_may_not_act_is_told_which_role_it_needs(served):
    assert page(served, "/vendors/acme").acts() == {}
    assert "needs the role responder" in page(served, "/vendors/acme").text
    acts = page(served, "/vendors/acme", Role.RESPONDER).acts()
    assert set(acts["/api/v1/vendors/acme/pause"].fields) == {"reason", "notice", "exposed_at", "report"}
    assert "/api/v1/vendors/acme/terms/likelihood" in acts


def test_each_gate_that_is_shut_is_offered_what_opens_it_and_no_restore_before_all_are(served):
    found = page(served, "/vendors/beta", Role.APPROVER)
    gates = {each.split("/gates/")[1] for each in found.acts() if "/gates/" in each}
    assert {"forensics/document", "forensics/override", "software/document", "software/meet"} <= gates
    given = found.acts()["/api/v1/vendors/beta/gates/forensics/document"].fields
    assert set(given) == {"file", "from", "dated", "reason"}
    assert "attestations/meet" not in gates  # none is valid: there is none to believe
    paper = found.acts()["/api/v1/vendors/beta/attestations"].fields
    assert set(paper) == {"kind", "issuer", "scope", "from", "to", "file"}
    assert "approval/meet" in gates
    assert "/api/v1/vendors/beta/restore" not in found.acts()
    assert "Restore It is refused while these 6 gates are shut:" in found.text
    assert {"#gate-software", "#gate-forensics", "#gate-approval"} <= found.links.keys()


def test_the_forms_of_a_vendor_are_taken_by_the_service(served):
    token = served.token(Role.APPROVER, "ana")
    refused = served.asks("POST", "/vendors/beta/gates/forensics/override", token, json={"reason": "x"})
    assert refused.json()["reason"] == "not_confirmed"
    told = {"reason": "their report came", "confirm": refused.json()["mend"]}
    served.asks("POST", "/vendors/beta/gates/forensics/override", token, json=told)
    text = page(served, "/vendors/beta").text
    assert "OVERRIDDEN: the gate forensics" in text
    assert served.asks("POST", "/vendors/beta/terms/likelihood", token, json={"reason": "no"}).status_code == 200


def test_segmentation_says_what_each_place_reaches_and_what_to_cut(served):
    text = page(served, "/segmentation").text
    assert "host:build-1" in text
    assert "host:build-1 reaches" in text
    assert "In no figure" in text
