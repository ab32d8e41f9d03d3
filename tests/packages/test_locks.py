"""What each lock file says, where its format leaves a choice."""

from __future__ import annotations

import json

import pytest

from rotator.packages.advisory import spec
from tests.packages.world import found, sureness

ANY_A = spec("npm:a==*")
SCOPED = spec("npm:@s/a==1.0.0")


@pytest.mark.parametrize(
    ("lock", "advisory"),
    [
        ({"packages": {"node_modules/b/node_modules/@s/a": {"version": "1.0.0"}}}, SCOPED),
        ({"packages": {"node_modules/other": {"name": "@s/a", "version": "1.0.0"}}}, SCOPED),
        ({"dependencies": {"b": {"version": "2.0.0", "dependencies": {"@s/a": {"version": "1.0.0"}}}}}, SCOPED),
        ({"dependencies": {"other": {"version": "npm:@s/a@1.0.0"}}}, SCOPED),
        ({"dependencies": {"other": {"version": "https://npm.example/@s/a/-/a-1.0.0.tgz"}}}, SCOPED),
        (
            {"dependencies": {"o": {"version": "file:a.tgz", "resolved": "https://n.example/@s%2fa/-/a-1.0.0.tgz"}}},
            SCOPED,
        ),
    ],
)
def test_npms_locks_nest_and_rename(lock, advisory):
    assert sureness("package-lock.json", json.dumps({"lockfileVersion": 2, **lock}), advisory) == ["locked"]


def test_a_link_and_the_project_itself_are_not_what_was_fetched():
    packages = {"": {"name": "a", "version": "1.0.0"}, "node_modules/a": {"link": True, "version": "1.0.0"}}
    assert sureness("package-lock.json", json.dumps({"lockfileVersion": 3, "packages": packages}), ANY_A) == []


def test_npms_names_are_told_apart_by_case():
    packages = {"node_modules/A": {"version": "1.0.0"}}
    assert sureness("package-lock.json", json.dumps({"lockfileVersion": 3, "packages": packages}), ANY_A) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("yarn.lock", '"@s/a@^1.0.0", "@s/a@1":\n  version "1.0.0"\n'),
        ("x", '__metadata:\n  version: 8\n\n"@s/a@npm:^1.0.0":\n  version: 1.0.0\n  resolution: "@s/a@npm:1.0.0"\n'),
        ("x", '__metadata:\n  version: 8\n\n"b@npm:@s/a@1":\n  version: 1.0.0\n  resolution: "@s/a@npm:1.0.0"\n'),
        ("yarn.lock", '"b@npm:@s/a@1.0.0", "b@npm:@s/a@1":\n  version "1.0.0"\n'),
        ("x.yaml", "lockfileVersion: 5.4\npackages:\n  npm.example/@s/a/1.0.0:\n    dev: true\n"),
        ("x.yaml", "lockfileVersion: '6.0'\npackages:\n  npm.example+80/@s/a@1.0.0:\n    dev: true\n"),
        ("x.yaml", "lockfileVersion: '9.0'\npackages:\n  '@s/a@https://npm.example/@s/a/-/a-1.0.0.tgz':\n    x: 1\n"),
        ("x.yaml", "lockfileVersion: 5.4\n\npackages:\n\n  /@s/a/1.0.0_react@17.0.2:\n    dev: true\n"),
        ("x.yaml", "lockfileVersion: '6.0'\n\npackages:\n\n  /@s/a@1.0.0(react@17.0.2):\n    dev: true\n"),
        ("x.yaml", "lockfileVersion: '9.0'\n\nsnapshots:\n\n  '@s/a@1.0.0': {}\n"),
    ],
)
def test_yarn_and_pnpm_write_in_several_ways(name, text):
    assert sureness(name, text, SCOPED) == ["locked"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('version = 1\n\n[[package]]\nname = "LiteLLM"\nversion = "1.82.7"\n', 3),
        ("lock-version = '1.0'\n[[ packages ]]\r\nname = 'litellm'\r\nversion = '1.82.7'\r\n", 2),
        ("lock-version = '1.0'\npackages = [{name = 'litellm', version = '1.82.7'}]\n", None),
        (
            "lock-version = '1.0'\n[[packages]]\nname = 'litellm'\narchive = {path = 'w/litellm-1.82.7.tar.gz'}\n",
            2,
        ),
    ],
)  # fmt: skip
def test_a_lock_is_toml_however_it_is_written(text, line):
    [hit] = found("pylock.toml", text).hits
    assert (hit.sureness, hit.version, hit.line) == ("locked", "1.82.7", line)


def test_an_empty_lock_is_read():
    assert found("uv.lock", 'version = 1\nrequires-python = ">=3.11"\n').unread == ()


def test_a_lock_without_a_version_may_be_any():
    text = 'version = 1\n[[package]]\nname = "litellm"\nsource = { git = "https://git.example/litellm" }\n'
    assert sureness("uv.lock", text) == ["allowed"]
