"""The inventory's indexes are made once for all who ask, and again once people or issuers say something else."""

from __future__ import annotations

from rotator.credential import CredentialRef
from rotator.estate import AsNow, estate
from rotator.ports.listing import Discovered
from tests.test_held import KEY, knows, of, parts  # noqa: F401 - a fixture

ENTRY = ({"provider": KEY, "owner": "sync"}, {"vendor": "acme"})
ACME, OTHER = {"title": "Acme"}, {"title": "Other"}


def test_who_asks_again_is_answered_from_the_same_indexes(parts):  # noqa: F811
    knows(parts, ENTRY, listed=[("sync", "A")], acme=ACME)
    assert of(parts, "acme") == [("sync", "A")]
    assert estate(parts) is estate(parts)


def test_what_issuers_list_since_is_known_at_once(parts):  # noqa: F811
    knows(parts, ENTRY, listed=[("sync", "A")], acme=ACME)
    before = estate(parts)
    parts.inventory.keep(KEY, "aws", [Discovered(CredentialRef(KEY, "aws", "sync", each)) for each in "AB"])
    assert of(parts, "acme") == [("sync", "A"), ("sync", "B")]
    assert estate(parts) is not before


def test_what_people_say_since_is_known_once_they_are_looked_at_again(parts):  # noqa: F811
    knows(parts, ENTRY, listed=[("sync", "A"), ("feed", "F")], acme=ACME)
    assert of(parts, "acme") == [("sync", "A")]
    knows(parts, ({"provider": KEY, "owner": "feed"}, {"vendor": "acme"}))
    assert of(parts, "acme") == [("feed", "F"), ("sync", "A")]


def test_parts_as_they_are_now_are_the_same_until_the_inventory_says_otherwise(parts):  # noqa: F811
    knows(parts, ENTRY, listed=[("sync", "A"), ("feed", "F")], acme=ACME)
    now = AsNow(parts)
    first = now.parts()
    knows(parts, other=OTHER | {"criticality": "low"}, acme={"title": "Acme Data", "owner": "bob"})
    assert now.parts() is not first, "another vendor may hold something"
    second = now.parts()
    knows(parts, acme={"title": "Acme", "criticality": "high"})
    assert now.parts() is second, "what a vendor is called bears on nothing that it holds"
    knows(parts, acme={"holds": [{"provider": KEY, "owner": "feed"}]})
    assert now.parts() is not second
    assert of(now.parts(), "acme") == [("feed", "F"), ("sync", "A")]


def test_parts_under_the_rule_as_it_is_now_share_what_is_known(parts):  # noqa: F811
    knows(parts, ENTRY, listed=[("sync", "A")], acme=ACME)
    now = AsNow(parts)
    first, second = now.ruled(), now.ruled()
    assert first is not second, "the rule is read each time"
    assert estate(first) is estate(second) is estate(now.parts())
    assert of(first, "acme") == [("sync", "A")]
