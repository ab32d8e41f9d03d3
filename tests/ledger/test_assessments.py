"""Terms that people set: kept with who and why, each change in the vendor's chain, on both ledgers."""

from __future__ import annotations

import pytest

from rotator.errors import BadInput
from rotator.flow.registry import Said, Sort
from rotator.flow.vendor_terms import Judged, Name
from rotator.ledger.assessments import Assessments
from rotator.ledger.vendors import Vendors
from tests.ledger.test_vendors import chain

ADVISORY = "PYSEC-2026-2"


@pytest.fixture
def terms(database):
    Vendors(database).take([Said(Sort.VENDOR, "acme", {"title": "Acme"}, "v.yaml, line 1")], "ben")
    return Assessments(database, lambda: 1000.0)


def judged(value, name=Name.LIKELIHOOD, notice="", reason=" they told us \x00"):
    return Judged(name, value, "ana", 0.0, reason, notice)


def test_a_value_replaces_the_one_before_and_both_are_evidence(terms, database):
    assert terms.set("acme", judged(0.5)) is None
    assert terms.set("acme", judged(0.75)).value == 0.5
    [kept] = terms.every([])["acme"]
    assert (kept.name, kept.value, kept.by, kept.at) == (Name.LIKELIHOOD, 0.75, "ana", 1000.0)
    assert kept.reason.startswith("they told us")
    _, first, second = chain(database, "vendor.acme")
    assert (first["act"], first["before"], first["value"]) == ("term_set", None, 0.5)
    assert (second["before"], second["value"], second["by"], second["term"]) == (0.5, 0.75, "ana", "likelihood")


def test_what_is_set_for_a_notice_stands_beside_what_is_set_for_every_one(terms):
    terms.set("acme", judged(0.5))
    terms.set("acme", judged(0.9, notice=ADVISORY))
    terms.set("acme", judged(3.0, Name.USER_IMPACT, notice="another"))
    assert [(each.notice, each.value) for each in terms.every([ADVISORY])["acme"]] == [("", 0.5), (ADVISORY, 0.9)]
    assert [each.value for each in terms.every([])["acme"]] == [0.5]


def test_a_value_is_taken_back_with_a_reason_and_only_where_one_is(terms, database):
    terms.set("acme", judged(0.9, notice=ADVISORY))
    with pytest.raises(BadInput, match="nobody set likelihood of acme for every notice"):
        terms.clear("acme", judged(0.0))
    assert terms.clear("acme", judged(0.0, notice=ADVISORY)).value == 0.9
    assert terms.every([ADVISORY]) == {}
    last = chain(database, "vendor.acme")[-1]
    assert (last["act"], last["before"], last["notice"], "value" in last) == ("term_cleared", 0.9, ADVISORY, False)


def test_nothing_is_kept_without_a_reason_nor_of_a_vendor_that_is_not_registered(terms, database):
    with pytest.raises(BadInput, match="reason"):
        terms.set("acme", judged(0.5, reason="  "))
    with pytest.raises(BadInput, match="no vendor is registered"):
        terms.set("acmee", judged(0.5))
    secret = "ghp_" + "a1B2" * 9
    for given in ({"reason": secret}, {"notice": secret}):
        with pytest.raises(BadInput, match="a secret seems to stand in it"):
            terms.set("acme", judged(0.5, **given))
    assert terms.every([]) == {}
    assert len(chain(database, "vendor.acme")) == 1
