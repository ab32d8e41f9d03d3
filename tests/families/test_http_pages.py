"""A list is read to its end, in whatever way its pages turn, and never round in a circle."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from rotator.credential import Secret
from rotator.errors import Rejected
from rotator.families.http import RestService
from rotator.families.http_listing import Listing
from rotator.families.http_pages import answered
from rotator.families.http_wire import Reply
from rotator.ports.connection import Connection
from rotator.rest_calls import ListCall
from rotator.rest_kind import Authenticate
from tests.fakes.vendor_server import Vendor, serving


def shape(pages, answer):
    return {
        "make": {"id": "k{n}", "secret": "s-{8}", "owner": "o"},
        "admin": {"header": {"Authorization": "Bearer {admin}"}},
        "refused": [401, None],
        "routes": [
            {"call": verb, "does": "list", "pages": pages, "each": {"id": "{id}"}, "answer": [200, answer]}
            for verb in ("GET /keys", "POST /keys")
        ],
    }


def listed(pages, answer, way, call="GET /keys", count=5, **more):
    vendor = Vendor(shape(pages, answer))
    for _ in range(count):
        vendor.plant()
    told = ListCall.model_validate({"call": call, "id": "id", "pages": way or "none", **more})
    with serving(vendor) as address:
        own = Connection("acme", "http", endpoint_url=address, credential=lambda: Secret(vendor.values["admin"]))
        listing = Listing(RestService(own, Authenticate(), "token"), told, None)
        return [listing.id(entry) for entry in listing.entries()]


LINKED = {"size": 2, "parameter": "cursor", "by": "id"}
ALL = ["k1", "k2", "k3", "k4", "k5"]


@pytest.mark.parametrize(
    ("pages", "answer", "way", "more"),
    [
        (
            {"size": 2, "parameter": "p", "by": "id"},
            {"d": "{entries}", "n": "{next_path}"},
            {"next": "n"},
            {"each": "d"},
        ),
        (
            {"size": 2, "parameter": "p", "by": "id"},
            {"d": "{entries}", "n": "{next_url}"},
            {"next": "n"},
            {"each": "d"},
        ),
        ({**LINKED, "link": '<{next_url}>; rel="next"'}, "{entries}", {"link_header": True}, {}),
        (
            {
                **LINKED,
                "link": '<{next_url}>; rel="previous"; results="false", <{next_url}>; rel="next"; results="true"',
                "link_last": '<http://127.0.0.1:9/>; rel="next"; results="false"',
            },
            "{entries}",
            {"link_header": True},
            {},
        ),
        (
            {"size": 2, "parameter": "after", "by": "id"},
            {"d": "{entries}", "last": "{last_id}", "more": "{more}"},
            {"cursor": "last", "parameter": "after", "more": "more"},
            {"each": "d"},
        ),
        ({"size": 2, "parameter": "page", "by": "number"}, {"d": "{entries}"}, {"number": "page"}, {"each": "d"}),
        (
            {"size": 2, "parameter": "page", "by": "number", "first": 0},
            {"d": "{entries}"},
            {"number": "page", "first": 0},
            {"each": "d"},
        ),
        (
            {"size": 2, "parameter": "offset", "by": "offset"},
            {"d": "{entries}", "more": "{more}"},
            {"offset": "offset", "more": "more"},
            {"each": "d"},
        ),
        (
            {"size": 2, "parameter": "cursor", "by": "id", "in": "body"},
            {"d": "{entries}", "c": "{cursor}"},
            {"cursor": "c"},
            {"each": "d", "call": "POST /keys", "body": {"cursor": "{cursor}"}},
        ),
    ],
    ids=str,
)
def test_every_way_of_turning_pages_reads_all(pages, answer, way, more):
    assert listed(pages, answer, way, **more) == ALL
    assert listed(pages, answer, way, count=0, **more) == []


PAST = {"size": 2, "past_the_end": [404, None]}


@pytest.mark.parametrize(
    ("pages", "answer", "way"),
    [
        ({"parameter": "page", "by": "number"}, {"d": "{entries}", "n": "{pages}"}, {"number": "page", "last": "n"}),
        ({"parameter": "page", "by": "number"}, {"d": "{entries}", "n": "{total}"}, {"number": "page", "total": "n"}),
        ({"parameter": "from", "by": "offset"}, {"d": "{entries}", "n": "{total}"}, {"offset": "from", "total": "n"}),
    ],
    ids=str,
)
@pytest.mark.parametrize("count", [0, 2, 4, 5])
def test_where_a_page_past_the_end_is_an_error_the_answer_says_which_is_the_last(pages, answer, way, count):
    assert listed({**PAST, **pages}, answer, way, each="d", count=count) == ALL[:count]


def test_a_page_past_the_end_that_is_an_error_is_not_taken_for_the_end_of_the_list():
    pages = {**PAST, "parameter": "page", "by": "number"}
    with pytest.raises(Rejected, match="http_404"):
        listed(pages, {"d": "{entries}"}, {"number": "page"}, each="d")


@pytest.mark.parametrize("way", [{"number": "page"}, {"offset": "from"}, {"cursor": "d.0.id", "parameter": "after"}])
def test_a_service_that_turns_no_page_is_not_asked_for_ever(way):
    with pytest.raises(Rejected, match="list_leads_in_a_circle"):
        listed({}, {"d": "{entries}"}, way, each="d")


def test_a_yes_that_is_a_no_in_its_body_is_not_taken_for_an_empty_list():
    with pytest.raises(Rejected, match="not_granted"):
        listed({}, {"ok": False, "d": []}, None, each="d", granted=[{"status": 200, "where": {"ok": True}}])
    assert answered(Reply(200, {"a": 1}, "")) == {"a": 1}


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ({}, "name one of"),
        ({"next": "a", "number": "b"}, "name one of"),
        ({"next": "a", "parameter": "b"}, "`parameter` says nothing to `next`"),
        ({"cursor": "a"}, "the cursor goes nowhere"),
        ({"offset": "a", "last": "b"}, "`last` says nothing to `offset`"),
    ],
)
def test_a_way_that_turns_nothing_is_told(way, words):
    with pytest.raises(ValidationError, match=words):
        ListCall.model_validate({"call": "GET /keys", "id": "id", "pages": way})
