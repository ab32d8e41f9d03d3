"""Policies in a file: read whole, or every mistake told with its line."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rotator import hygiene_file
from rotator.errors import BadInput

GOOD = """\
policies:
  - name: aws-keys
    select: provider:aws_iam_access_key,environment:production
    max_age: 90d
    schedule: "0 2 * * mon-fri"
    window: 3h
    time_zone: Europe/Berlin
    jitter: 10d
    overlap: 1d
    deadline: 14d
    strategy: replace_first
    at_once: 5
    freeze:
      - {from: 2026-12-20, to: 2027-01-06, why: the year's end}
    approved_by: Jana
    expires: 2027-06-30
"""
KINDS = ("aws_iam_access_key", "vault_token")
NOW = datetime(2026, 11, 23, tzinfo=UTC).timestamp()


@pytest.fixture
def file(tmp_path):
    return tmp_path / "hygiene.yaml"


def test_a_policy_is_read_with_all_that_it_says(file):
    file.write_text(GOOD)
    [policy] = hygiene_file.load_all([file])
    assert (policy.name, policy.max_age_s, policy.jitter_s, policy.at_once) == ("aws-keys", 7776000, 864000, 5)
    assert (policy.window_s, str(policy.zone), policy.destroys) == (10800, "Europe/Berlin", False)
    assert policy.freezes[0].why == "the year's end"


@pytest.mark.parametrize(
    ("was", "becomes", "line", "what"),
    [
        ("max_age: 90d", "max_age: 90", 4, "`90` is no duration"),
        ("max_age: 90d", "max_agee: 90d", 2, "`max_age` is missing"),
        ("max_age: 90d", "max_age: 90d\n    maxage: 1d", 5, "unknown key `maxage`"),
        ("mon-fri", "mon-fre", 5, "no day of the week"),
        ("Europe/Berlin", "Europe/Berlyn", 7, "no time zone is called `Europe/Berlyn`"),
        ("replace_first", "contain_first", 11, "`strategy` must be replace_first"),
        ("provider:aws", "providr:aws", 3, "is no selector"),
        ("to: 2027-01-06", "to: 2026-01-06", 14, "before it begins"),
        ("deadline: 14d", "deadline: 1h", 2, "before the overlap is over"),
        ("jitter: 10d", "jitter: 90d", 2, "less than that"),
        ("    approved_by: Jana\n", "", 2, "`approved_by` is missing"),
        ("at_once: 5", "at_once: 0", 12, "1 or more"),
        ("name: aws-keys", "name: &a aws-keys", 2, "anchors"),
    ],
)
def test_a_mistake_is_told_with_its_line(file, was, becomes, line, what):
    assert was in GOOD
    file.write_text(GOOD.replace(was, becomes))
    found = hygiene_file.lint(file, KINDS, NOW)
    assert any(each.line == line and what in each.what for each in found), found
    with pytest.raises(BadInput):
        hygiene_file.load_all([file])


@pytest.mark.parametrize(
    ("was", "becomes", "line", "what"),
    [
        (
            "iam_access_key",
            "iam_acces_key",
            3,
            "no kind is called `aws_iam_acces_key`: did you mean `aws_iam_access_key`?",
        ),
        ("aws_iam_access_key", "zz_*", 3, "no kind is called `zz_*`: `rotator provider list` says which there are"),
        (
            "2027-06-30",
            "2026-11-22",
            16,
            "its day is over: nothing begins by aws-keys since 2026-11-22: have it agreed",
        ),
    ],
)
def test_a_policy_by_which_nothing_would_begin_is_told_with_its_line_and_is_no_mistake_of_its_file(
    file, was, becomes, line, what
):
    file.write_text(GOOD.replace(was, becomes))
    [problem] = hygiene_file.lint(file, KINDS, NOW)
    assert problem.line == line
    assert f"{problem.what}: {problem.mend}".startswith(what)
    hygiene_file.load_all([file])  # its day may end while others of the file hold


@pytest.mark.parametrize("select", ["provider:aws_*", "owner:ci", "provider:*"])
def test_a_policy_that_is_for_some_kind_until_the_end_of_its_day_is_sound(file, select):
    file.write_text(GOOD.replace("provider:aws_iam_access_key", select).replace("2027-06-30", "2026-11-23"))
    assert hygiene_file.lint(file, KINDS, NOW + 86399.0) == []


def test_two_policies_of_one_name_are_refused_in_one_file_and_in_two(file, tmp_path):
    file.write_text(GOOD + GOOD.removeprefix("policies:\n"))
    [problem] = hygiene_file.lint(file, KINDS, NOW)
    assert (problem.line, problem.what) == (17, "two policies are called aws-keys")
    file.write_text(GOOD)
    other = tmp_path / "other.yaml"
    other.write_text(GOOD)
    with pytest.raises(BadInput, match="two policies"):
        hygiene_file.load_all([file, other])


def test_a_file_that_is_not_there_is_said_in_one_line(tmp_path):
    with pytest.raises(BadInput, match="no such file"):
        hygiene_file.load_all([tmp_path / "none.yaml"])
