"""Every setting in force is shown with where it comes from; no secret is, and no reference to one is read."""

from __future__ import annotations

import json
import tomllib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rotator.settings.lines import lines
from rotator.settings.origin import shown

FILE = """\
data_dir = "data"
[[connections]]
name = "aws-prod"
family = "aws"
credential = "env:NOT_SET"
endpoint_url = "http://ann:planted-1@127.0.0.1:5000/p?key=planted-2"
budget = {calls_per_second = 20}

[[credentials]]
match = {provider = "aws_iam_access_key", owner = "ci"}
reads = [
  "aws-prod:a",  # ]
]
[[credentials.deliver]]
store = "aws_secrets_manager"
connection = "aws-prod"
name = "ci/aws"
[[credentials.consumers]]
webhook = "http://127.0.0.1:8000/reload?token=planted-3"
"""
ORIGINS = {
    "config": "--config",
    "data_dir": "my.toml:1",
    "concurrency": "ROTATOR_CONCURRENCY",
    "broker_url": "default",
    "connections aws-prod: credential": "my.toml:5",
    "connections aws-prod: budget: calls_per_second": "my.toml:7",
    "connections aws-prod: budget: burst": "default",
    "credentials number 1: match: owner": "my.toml:10",
    "credentials number 1: reads": "my.toml:11",
    "credentials number 1: deliver ci/aws: connection": "my.toml:16",
    "credentials number 1: consumers number 1: webhook": "my.toml:19",
    "credentials number 1: criticality": "default",
}


@pytest.fixture
def written(called, tmp_path, monkeypatch):
    (tmp_path / "my.toml").write_text(FILE)
    monkeypatch.setenv("ROTATOR_CONCURRENCY", "9")
    return called


def test_each_setting_tells_its_origin(written):
    out = written("config", "show", "-o", "json", "--config", "my.toml").ended(0).out
    found = {each["name"]: each for each in json.loads(out)}
    assert {name: found[name]["origin"] for name in ORIGINS} == ORIGINS
    assert found["concurrency"]["value"] == 9
    assert found["connections aws-prod: credential"]["value"] == "env:NOT_SET"
    assert found["connections aws-prod: endpoint_url"]["value"] == "http://…@127.0.0.1:5000/p?…"
    told = written("config", "show", "-o", "jsonl", "--config", "my.toml").ended(0).out.splitlines()
    assert [json.loads(line) for line in told] == list(found.values())


def test_a_person_sees_the_origins_who_asks_for_them_and_no_secret(written):
    plain = written("config", "show", "--config", "my.toml").ended(0).out
    asked = written("config", "show", "--origin", "--config", "my.toml").ended(0).out
    assert "ROTATOR_CONCURRENCY" in asked
    assert "my.toml:11" in asked
    assert "my.toml:11" not in plain
    assert "planted" not in plain + asked


def test_without_a_file_all_is_the_default(called):
    found = [json.loads(line) for line in called("config", "show", "-o", "jsonl").ended(0).out.splitlines()]
    assert {each["origin"] for each in found} == {"default"}
    assert found[0] == {"path": ["config"], "name": "config", "value": None, "origin": "default"}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ('data_dri = "x"', "data_dir"),
        ('[[conections]]\nname = "a"', "connections"),
        ('[[connections]]\nname = "a"\nfamily = "aws"\nbudget = {calls_per_secnd = 1}', "calls_per_second"),
        ('[[connections]]\nname = "a"\nfamily = "aws"\nregoin = "x"', "region"),
        ('[[connections]]\nname = "a"\nfamily = "asw"', "aws"),
        ('[[credentials]]\nmatch = {ownr = "ci"}', "owner"),
        ('[[credentials]]\nmatch = {provider = "vault_tokn"}', "vault_token"),
        ('[[credentials]]\nmatch = {owner = "ci"}\nenvironmnt = "test"', "environment"),
        ("[approval]\nfour_eys = true", "four_eyes"),
    ],
)
def test_a_mistyped_key_or_name_in_the_configuration_too(called, tmp_path, text, meant):
    (tmp_path / "rotator.toml").write_text(text)
    done = called("config", "show").ended(2)
    assert "rotator.toml" in done.one_line or "connection" in done.one_line or "credentials" in done.one_line
    assert f"did you mean `{meant}`?" in done.one_line


@pytest.mark.parametrize("text", ['password = "canary"', 'tokn = "canary"'])
def test_a_key_that_nobody_knows_is_refused_before_its_value_could_be_shown(called, tmp_path, text):
    (tmp_path / "rotator.toml").write_text(f'[[connections]]\nname = "a"\nfamily = "aws"\n{text}\n')
    done = called("config", "show").ended(2)
    assert "canary" not in done.out + done.one_line


WORD = st.text("abc/?#@:=&%", max_size=12)


@given(st.text("abc", min_size=1, max_size=4), WORD, WORD, st.booleans())
def test_neither_a_login_nor_a_query_is_shown_whatever_it_is_made_of(user, before, after, is_query):
    secret = f"{before}CANARY{after}"
    url = f"https://h/p?k={secret}" if is_query else f"https://{user}:{secret}@h/p"
    assert "CANARY" not in shown(f"--url={url}")


STATEMENTS = st.lists(
    st.sampled_from(
        [
            "# [no.head] = 1",
            "",
            'KEY = """\n[a]\nb = 1\n"""',
            "KEY = '''\n]\n'''",
            'KEY = [\n  "]", # "\n  {x = 1},\n]',
            "KEY.x = {y = [1, 2], z = 3}",
            "KEY = 1979-05-27T07:32:00Z",
            '"KEY q" = "[a]"',
            "[KEY]",
            "[[KEY]]",
            "  [ KEY . t ]",
        ]
    ),
    max_size=12,
)


@given(STATEMENTS)
@example(["[[KEY]]", "KEY = 1", "[[KEY]]"])
def test_every_key_of_a_file_has_the_line_on_which_it_stands(statements):
    text = "\n".join(each.replace("KEY", f"k{number}") for number, each in enumerate(statements))
    told = text.split("\n")
    found = lines(text)
    assert {path for path, _ in ends((), tomllib.loads(text))} <= set(found)
    for path, number in found.items():
        assert str(path[0]).split()[0] in told[number - 1] or any(
            str(key) in told[number - 1] for key in path if isinstance(key, str)
        )


def test_tables_of_one_list_are_told_apart():
    text = "[[a]]\nx = 1\n[[a.b]]\ny = 1\n[[a.b]]\ny = 2\n[[a]]\nx = 2\n[a.c]\nz = 1\n"
    found = lines(text)
    assert {path: found[path] for path, _ in ends((), tomllib.loads(text))} == {
        ("a", 0, "x"): 2,
        ("a", 0, "b", 0, "y"): 4,
        ("a", 0, "b", 1, "y"): 6,
        ("a", 1, "x"): 8,
        ("a", 1, "c", "z"): 10,
    }


def ends(path, value):
    """Yield the values at the ends of a document."""
    if not isinstance(value, dict | list):
        yield path, value
    for key, each in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from ends((*path, key), each)
