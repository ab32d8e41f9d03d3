"""Which site a file speaks for."""

from __future__ import annotations

import pytest

from rotator.flow.site import SiteKind
from rotator.packages.place import made, of_folder, of_itself


@pytest.mark.parametrize(
    ("path", "site"),
    [
        ("EVIDENCE/host/CI-7/pip-freeze.txt", "host:ci-7"),
        ("/srv/e/hosts/ci-7.example/opt/app/freeze.txt", "host:ci-7.example"),
        ("repository/org/app/uv.lock", "repository:org/app"),
        ("repository/org/app/services/x/uv.lock", "repository:org/app"),
        ("repository/app/uv.lock", "repository:app"),
        ("job/org/app/build/123.log", "job:org/app/build"),
        ("job/org/app/build/host/1.log", "job:org/app/build"),
        ("job/org/app/123.log", "job:org/app/123"),
        ("job\\org\\app\\Build and test\\123.log", "job:org/app/build-and-test"),
        ("container/registry/app@sha256:0f/sbom.cdx.json", "container:registry/app"),
        ("containers/registry.example:5000/team/app:1.2/sbom.json", "container:registry.example:5000/team/app"),
        ("host/pip-freeze.txt", None),
        ("uv.lock", None),
        ("my-host/x/uv.lock", None),
        ("", None),
    ],
)
def test_a_folder_says_whose_it_is(path, site):
    found = of_folder(path)
    assert (str(found) if found else None) == site


@pytest.mark.parametrize(
    ("path", "site"),
    [
        ("app/services/uv.lock", "repository:app/services"),
        ("uv.lock", "repository:uv.lock"),
        ("/", "repository:unknown"),
        ("", "repository:unknown"),
        ("a\x1b[2J/uv.lock", "repository:a?[2j"),
    ],
)
def test_what_nobody_names_stands_for_itself(path, site):
    assert str(of_itself(path)) == site


def test_what_is_no_name_makes_no_site():
    assert made(SiteKind.HOST, " ") is None
    assert str(made(SiteKind.HOST, "x" * 999)) == f"host:{'x' * 300}"
