"""What vendors run, held against advisories: bad, perhaps, or nothing to say."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from rotator.flow.vendor import Software
from rotator.packages.advisory import Advisory, spec
from rotator.packages.affected import Affected, Range
from rotator.packages.names import UNTOLD, package
from rotator.packages.vendor_software import match

BAD = spec("litellm==1.82.7,1.82.8")


@pytest.mark.parametrize(
    ("software", "is_bad", "said"),
    [
        (Software("PyPI", "litellm", "1.82.7", "sbom"), True, "sbom lists litellm 1.82.7, which is bad"),
        (Software("PyPI", "LiteLLM", "1.82.8", "sbom"), True, "which is bad"),
        (Software("PyPI", "litellm", "", "sbom"), None, "in no version that it tells"),
        (Software(UNTOLD, "litellm", "1.82.7", "sbom"), None, "not whose package that is"),
    ],
)
def test_what_is_bad_or_may_be_is_told_with_its_list(software, is_bad, said):
    [found] = match([BAD], {"acme": [software, software]})["acme"]
    assert found.is_bad is is_bad
    assert said in found.why


@pytest.mark.parametrize(
    "software",
    [
        Software("PyPI", "litellm", "1.82.6", "sbom"),
        Software("npm", "litellm", "1.82.7", "sbom"),
        Software(UNTOLD, "litellm", "1.82.6", "sbom"),
        Software("PyPI", "requests", "1.82.7", "sbom"),
    ],
)
def test_another_version_or_package_is_nothing(software):
    assert match([BAD], {"acme": [software]}) == {}


def test_a_version_that_cannot_be_ordered_may_be_bad():
    between = Range("ECOSYSTEM", (("introduced", "1"), ("fixed", "2")))
    ranged = Advisory("GHSA-x", affected=(Affected(package("Maven", "a:b"), ranges=(between,)),))
    [found] = match([ranged], {"acme": [Software("Maven", "a:b", "1.5", "s")]})["acme"]
    assert found.is_bad is None
    assert "it may be bad" in found.why


def test_what_was_withdrawn_is_not_looked_for():
    gone = replace(BAD, withdrawn=datetime(2026, 4, 1, tzinfo=UTC))
    assert match([gone], {"acme": [Software("PyPI", "litellm", "1.82.7", "s")]}) == {}


def test_the_word_of_a_list_commands_no_terminal():
    [found] = match([BAD], {"acme": [Software("PyPI", "litellm", "1.82.7", "\x1b[31msbom")]})["acme"]
    assert "\x1b" not in found.why
