"""Every page, in light and dark, wide and narrow: axe finds nothing, nothing runs over the edge, nothing complains."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from rotator import datasets
from rotator.datasets import Asked
from rotator.flow.checklist import DEFAULT, frozen
from rotator.flow.inventory import Said as Held
from rotator.flow.registry import Said, Sort
from rotator.manifests.hashing import Meter
from tests.fakes.vendors_paused import pause

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 400, "height": 800}
SHOWN = [("light", WIDE), ("dark", WIDE), ("dark", NARROW), ("light", NARROW)]
LOOKS = {"runOnly": ["color-contrast", "link-in-text-block", "target-size", "scrollable-region-focusable"]}
"""What axe finds by how a page is painted; the rest of what it asks is so in every light."""

PAGES = {
    "the incidents": "/incidents",
    "a new incident": "/incidents/new",
    "an incident that waits for approval": "{waits}",
    "its plan": "{waits}/plan",
    "an incident whose credentials are dead": "{over}",
    "the plan of it": "{over}/plan",
    "a credential": "{over}/credentials/{run}",
    "a task": "{over}/credentials/{task}",
    "the graph": "{over}/graph",
    "the inventory": "/inventory",
    "the vendors": "/vendors",
    "a vendor that is paused": "/vendors/lumen",
    "the triage of vendors": "/triage",
    "the segmentation": "/segmentation",
    "the schedules": "/schedules",
    "the reports": "/reports",
    "the sign-in": "/sign-in",
    "the sign-out": "/sign-out",
    "no page": "/no-such-page",
}


@pytest.fixture(scope="module")
def found(house):
    """Have something on every page, and return where that is."""
    waits = house.declared(house.leaked("shop", unconfigured=True), "Not yet approved")
    over = house.declared(house.leaked("shop", "ci", "stray", unconfigured=True), "A laptop on a train")
    house.approve(over)
    house.until_dead(over)
    with_vendor(house)
    return {"waits": waits.path, "over": over.path, "run": f"{over.id}.r1", "task": f"{over.id}.m1"}


def with_vendor(house):
    """Have a vendor hold something that leads to a dataset, and pause it."""
    over = {"kind": "SOC 2", "issuer": "EY", "valid_from": "2020-01-01", "valid_to": "2020-12-31"}
    told = {"title": "Lumen Data", "criticality": "critical", "owner": "ana", "sub_processors": ["harbor"]}
    told["attestations"] = [over]
    described = {"sensitivity": "high", "manifest": "customers-1"}
    said = [Said(Sort.VENDOR, "lumen", told, "v.yaml, line 1")]
    house.parts.vendors.take([*said, Said(Sort.DATASET, "customers", described, "v.yaml, line 2")], "ana")
    match = {"provider": "acme_api_token", "connection": "acme", "owner": "ci", "id": "tok-lumen"}
    keys = {"vendor": "lumen", "datasets": ["customers"], "reachable_from": ["host:build-1"]}
    house.parts.inventory.take([Held(match, keys, "i.yaml, line 1")], "ana")
    house.parts.look_again()
    customers = house.folder / "customers"
    customers.mkdir()
    (customers / "2026.csv").touch()
    datasets.record(house.parts, "customers-1", Asked(str(customers), "dora"), Meter())
    pause(house.parts, "lumen", checklist=frozen(DEFAULT))


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_a_page_is_for_everybody_and_fits(person, found, path):
    bo = person("" if path.startswith("/sign-") else "bo")
    if path == "/no-such-page":
        bo.expected += ("status of 404",)
    bo.page.goto(path.format(**found))
    bo.page.get_by_role("heading", level=1).wait_for()
    bo.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")  # forms too
    options = {}
    for scheme, size in SHOWN:
        bo.page.set_viewport_size(size)
        bo.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        answer = Axe().run(bo.page, options={"resultTypes": ["violations"], **options})
        assert answer.violations_count == 0, answer.generate_report()
        options = LOOKS
        over = bo.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert over <= 0, f"{over} pixels run over the edge of {size['width']}"
