"""What people imported and issuers listed is kept on both ledgers, one entry for each match, every change for good."""

from __future__ import annotations

import threading

import pytest

from rotator.credential import CredentialRef
from rotator.flow.inventory import Act, Said
from rotator.ledger.inventory import Inventory, Kept
from rotator.ports.listing import Discovered

KEY = "aws_iam_access_key"
CI = {"provider": KEY, "owner": "ci"}


@pytest.fixture
def inventory(database):
    moments = iter(range(1000, 2000))
    return Inventory(database, lambda: float(next(moments)))


def said(match, where="own.csv, line 2", **keys):
    return Said(match, keys, where)


def test_a_second_import_changes_nothing_and_a_change_keeps_what_was_before(inventory):
    rows = [said(CI, criticality="low"), said({"owner": "app"}, reads=[])]
    assert [each.act for each in inventory.plan(rows)] == [Act.ADDED, Act.ADDED]
    assert inventory.stated() == []  # a plan is only that
    assert [each.act for each in inventory.take(rows, "ann")] == [Act.ADDED, Act.ADDED]
    assert [each.act for each in inventory.take(rows, "ben")] == [Act.SAME, Act.SAME]
    inventory.take([said(CI, "other.yaml, line 7", criticality="high", contact="ann")], "ben")
    app, ci = inventory.stated()
    assert (app.said, app.by, app.at) == ({"reads": []}, "ann", 1000.0)
    assert (ci.said, ci.by, ci.file) == ({"criticality": "high", "contact": "ann"}, "ben", "other.yaml, line 7")
    first, second = inventory.history("ci")
    assert (first.before, first.after, first.by, first.file) == (None, {"criticality": "low"}, "ann", "own.csv, line 2")
    assert (second.before, second.after, second.by) == (first.after, ci.said, "ben")
    assert inventory.history("provider=aws_iam_access_key,owner=ci") == [first, second]
    assert len(inventory.history("app")) == 1
    assert inventory.history("provider=aws_iam_access_key") == []


def test_what_an_issuer_lists_is_kept_beside_what_people_say_and_goes_when_it_is_gone(inventory):
    def listed(*ids):
        return [Discovered(CredentialRef(KEY, "aws", "ci", each), {"state": "active"}) for each in ids]

    inventory.take([said({**CI, "connection": "aws", "id": "A1"}, criticality="high")], "ann")
    assert inventory.keep(KEY, "aws", listed("A1", "A2")) == Kept(2, 0, 0)
    assert inventory.keep(KEY, "other", [Discovered(CredentialRef(KEY, "other", "x", "A1"))]) == Kept(1, 0, 0)
    assert inventory.keep(KEY, "aws", listed("A2", "A3")) == Kept(1, 1, 1)
    assert [each.id for each in inventory.known()] == ["A2", "A3", "A1"]
    assert [(each.ref.id, each.gone_at is None) for each in inventory.listed()][:2] == [("A1", False), ("A2", True)]
    assert inventory.keep(KEY, "aws", listed("A1", "A2", "A3")) == Kept(0, 3, 0)
    assert len(inventory.known()) == 4
    assert inventory.stated()[0].said == {"criticality": "high"}


def test_two_who_import_at_once_make_one_entry_and_lose_nothing(inventory):
    both = threading.Barrier(2)
    done = []

    def take(name):
        both.wait()
        done.append(inventory.take([said(CI, **{name: name})], name))

    threads = [threading.Thread(target=take, args=(each,)) for each in ("vendor", "contact")]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(done) == 2
    [entry] = inventory.stated()
    assert entry.said == {"vendor": "vendor", "contact": "contact"}
    assert len(inventory.history("ci")) == 2
