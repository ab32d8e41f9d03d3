"""Versions are ordered as their ecosystem orders them, and ranges hold what OSV says they hold."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from rotator.packages.affected import Affected, Range, in_order
from rotator.packages.names import ecosystem, package, purl
from rotator.packages.versions import order, pep440, semver

LITELLM, CHALK, JAR = package("PyPI", "litellm"), package("npm", "chalk"), package("Maven", "org.x:y")

# Semantic Versioning 2.0.0, section 11, and what node-semver makes of numbers.
ASCENDING = [
    "0.9.10", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
    "1.0.0-rc.1", "1.0.0", "1.2.0", "1.10.0", "2.0.0-0", "2.0.0",
]  # fmt: skip


def test_semantic_versions_are_ordered_as_their_specification_does():
    keys = [semver(each) for each in ASCENDING]
    assert all(before < after for before, after in itertools.pairwise(keys))


@pytest.mark.parametrize(("one", "other"), [("1.2.3+build.7", "1.2.3"), ("v1.2.3", "1.2.3"), ("44", "44.0.0")])
def test_what_does_not_count_makes_no_difference(one, other):
    assert semver(one) == semver(other)


@pytest.mark.parametrize("text", ["", "x", "1.2.3.4", "1..2", "latest", "1" * 300, "1.2.3-", "٣.1.0-ß"])
def test_what_is_no_semantic_version_has_no_place(text):
    assert semver(text) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [("1.82.7", "1.82.07"), ("1.82.7", "v1.82.7"), ("1.82.7", "1.82.7+cpu"), ("1.82", "1.82.0"), ("1.0rc1", "1.0-c.1")],
)
def test_pypis_versions_are_compared_and_not_their_letters(one, other):
    assert Affected(LITELLM, (one,)).covers(other) is True


@pytest.mark.parametrize(
    ("events", "bad", "good"),
    [
        ((("introduced", "0"), ("fixed", "1.2.0")), ["0.0.1", "1.1.9", "1.2.0rc1"], ["1.2.0", "3"]),
        (
            (("introduced", "1.82.7"), ("last_affected", "1.82.8")),
            ["1.82.7", "1.82.8"],
            ["1.82.6", "1.82.9", "1.82.10"],
        ),
        # Two lines of releases, told in no order.
        (
            (("fixed", "2.1"), ("introduced", "1.0"), ("fixed", "1.5"), ("introduced", "2.0")),
            ["1.0", "1.4.9", "2.0.5"],
            ["0.9", "1.5", "1.9", "2.1"],
        ),
        ((("introduced", "1.0"),), ["1.0", "99"], ["0.9"]),
        ((("introduced", "0"), ("limit", "2.0")), ["1.9"], ["2.0", "3"]),
        ((("introduced", "1.0"), ("limit", "*")), ["5"], ["0.1"]),
    ],
)
def test_a_range_holds_what_lies_between_its_events(events, bad, good):
    affected = Affected(LITELLM, ranges=(Range("ECOSYSTEM", events),))
    assert [affected.covers(each) for each in bad] == [True] * len(bad)
    assert [affected.covers(each) for each in good] == [False] * len(good)


def test_a_semver_range_is_ordered_so_whatever_the_ecosystem():
    span = Range("SEMVER", (("introduced", "1.0.0"), ("fixed", "1.10.0")))
    assert [Affected(each, ranges=(span,)).covers("1.9.0") for each in (CHALK, JAR)] == [True, True]


@pytest.mark.parametrize("name", ["cargo", "crates", "Crates.x", "Crates.x:1"])
def test_rusts_packages_are_one_ecosystem_by_each_of_its_names(name):
    of = package(ecosystem(name), "serde")
    assert purl("pkg:cargo/serde@1.2.0") == (of, "1.2.0")
    assert Affected(of, ranges=(Range("ECOSYSTEM", (("introduced", "1.2.0"),)),)).covers("1.10.0") is True


def test_where_nobody_here_knows_the_order_it_may_be_bad():
    affected = Affected(JAR, ("2.0",), (Range("ECOSYSTEM", (("introduced", "1.0"), ("fixed", "1.5"))),))
    assert affected.covers("2.0") is True
    assert affected.covers("1.2.Final") is None
    assert Affected(JAR, ("2.0",)).covers("1.2.Final") is False


@pytest.mark.parametrize(
    ("requirement", "admitted"),
    [
        ("", ("1.82.7", "1.82.8")),
        (">=1.80", ("1.82.7", "1.82.8")),
        ("<1.82.8", ("1.82.7",)),
        ("~=1.82.0,!=1.82.7", ("1.82.8",)),
        ("<1.82", ()),
        (">1.82.8", ()),
        ("not a requirement", None),
    ],
)
def test_a_requirement_admits_what_pip_would_take(requirement, admitted):
    assert Affected(LITELLM, ("1.82.7", "1.82.8")).admitted(requirement) == admitted


def test_a_requirement_meets_a_range_though_no_version_is_listed():
    affected = Affected(LITELLM, ranges=(Range("ECOSYSTEM", (("introduced", "0.5"), ("fixed", "1.5"))),))
    assert affected.admitted(">1.0,<2")
    assert affected.admitted("==1.4.*")
    assert affected.admitted(">=1.5") == ()
    assert affected.admitted("<0.5") == ()


def test_of_a_package_that_is_bad_in_every_version_nobody_can_say_which_is_admitted():
    assert Affected(LITELLM, every=True).admitted(">=1.80") is None
    every = Affected(LITELLM, ranges=(Range("ECOSYSTEM", (("introduced", "0"),)),))
    assert every.admitted("") is None
    assert every.admitted(">=1.80")
    assert Affected(JAR, ranges=every.ranges).covers("1.2.Final") is True


GRID = [f"{major}.{minor}" for major in range(3) for minor in range(4)]
BOUND = st.sampled_from(GRID)
WANTED = st.builds("{}{}".format, st.sampled_from([">=", ">", "<", "<=", "==", "!=", "~="]), BOUND)


@settings(max_examples=150, deadline=None)
@given(
    since=BOUND | st.just("0"),
    end=st.sampled_from(["fixed", "last_affected"]),
    until=BOUND,
    wanted=st.lists(WANTED, max_size=2),
)
def test_no_requirement_that_admits_a_bad_version_is_missed(since, end, until, wanted):
    affected = Affected(LITELLM, ranges=(Range("ECOSYSTEM", (("introduced", since), (end, until))),))
    requirement = ",".join(wanted)
    bad = [each for each in GRID if affected.covers(each) and SpecifierSet(requirement).contains(each)]
    assert affected.admitted(requirement) != () or not bad


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=30) | st.from_regex(r"[v0-9.+a-z-]{1,30}", fullmatch=True))
def test_any_text_has_a_place_or_none(text):
    assert pep440(text) == pep440(text)
    assert semver(text) == semver(text)
    affected = Affected(CHALK, (text,), (Range("SEMVER", (("introduced", text), ("fixed", text), ("limit", text))),))
    assert affected.covers(text) is True
    affected.admitted(text)


@settings(max_examples=30, deadline=None)
@given(versions=st.lists(st.from_regex(r"[0-4]\.[0-4](?:rc[0-3])?", fullmatch=True), min_size=1, max_size=8))
def test_versions_are_put_in_order(versions):
    ordered = in_order(Affected(LITELLM), versions)
    keys = [order("PyPI")(each) for each in ordered]
    assert keys == sorted(keys)
    assert sorted(ordered) == sorted(versions)


ACTION = package("GitHub Actions", "o/act")
SHA, OTHER = "0e58ed8671d6b60d0890c21b07f8835ace038e67", "1" * 40


@pytest.mark.parametrize(
    ("versions", "ranges", "used", "bad"),
    [
        ([], [("introduced", "45.0.5"), ("fixed", "46.0.1")], "v45", None),
        ([], [("introduced", "45.0.5"), ("fixed", "46.0.1")], "v46", None),
        ([], [("introduced", "45.0.5"), ("fixed", "46.0.1")], "v45.0", None),
        ([], [("introduced", "45.0.5"), ("fixed", "46.0.1")], "v45.1", True),
        ([], [("introduced", "45.0.5"), ("fixed", "46.0.1")], "v44", False),
        ([], [("introduced", "45.0.5"), ("fixed", "46.0.1")], "v45.0.4", False),
        ([], [("introduced", "0"), ("last_affected", "45.0.0")], "v45", None),
        ([], [("introduced", "45.0.0"), ("fixed", "46.0.0")], "v45", True),
        (["45.0.7"], [], "v45", None),
        (["45.0.7"], [], "v4", False),
        (["45.0.7"], [], "v45.0.7", True),
        (["45.0.7"], [], "v45.0.6", False),
        (["1.0.0"], [], "v1", None),
        (["v1"], [], "v1", True),
        (["v1"], [], "1", True),
        (["45.0.7"], [], SHA, None),
        (["45.0.7"], [], "main", None),
        ([SHA], [], OTHER, False),
        ([SHA], [], "v45.0.7", None),
    ],
)
def test_a_tag_that_moves_may_have_been_what_is_bad(versions, ranges, used, bad):
    affected = Affected(ACTION, tuple(versions), (Range("ECOSYSTEM", tuple(ranges)),) if ranges else ())
    assert affected.covers(used) is bad
