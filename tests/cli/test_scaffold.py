"""`rotator playbook new` begins a kind that is sound and passes the contract before a line of it is changed."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from rotator import playbook_file
from rotator.cli.main import app
from rotator.errors import BadInput
from tests.contracts import test_provider_contract as contract
from tests.contracts import vendors
from tests.fakes import vendor_server

TRIED = [
    contract.test_a_leaked_credential_is_named_by_its_issuer,
    contract.test_a_revoked_credential_is_refused_and_revoking_it_again_is_no_error,
    contract.test_siblings_are_all_credentials_of_the_owner_and_no_others,
    contract.test_a_marker_finds_the_minted_one_or_honestly_nothing,
    contract.test_a_replacement_outlives_the_exposed_one,
]


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "tests/fakes/vendors").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words):
    return CliRunner().invoke(app, ["playbook", "new", *words], catch_exceptions=True)


def test_what_it_writes_is_sound_and_passes_the_contract(checkout, monkeypatch):
    done = run("badge_api_token")
    assert done.exit_code == 0, done.output
    assert sorted(str(path.relative_to(checkout)) for path in checkout.rglob("*.yaml")) == [
        "playbooks/badge_api_token.yaml",
        "tests/fakes/vendors/badge_api_token.yaml",
    ]
    assert playbook_file.lint(checkout / "playbooks/badge_api_token.yaml") == []
    monkeypatch.setattr(vendor_server, "SHAPES", checkout / "tests/fakes/vendors")
    monkeypatch.setattr(vendors, "SHIPPED", checkout / "playbooks")
    with vendors.vendor_case("badge_api_token") as case:
        for test in TRIED:
            test(case)


def test_elsewhere_it_writes_the_playbook_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "books").mkdir()
    assert run("badge_api_token", "--in", "books").exit_code == 0
    assert [path.name for path in tmp_path.rglob("*.yaml")] == ["badge_api_token.yaml"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["Badge"], "`Badge` is no name of a kind"),
        (["badge", "--provider", "python"], "see docs/add-a-provider.md"),
        (["badge", "--in", "nowhere"], "there is no such folder"),
        (["taken"], "there is such a file already"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(checkout, words, said):
    (checkout / "playbooks/taken.yaml").write_text("mine")
    refused = run(*words)
    assert isinstance(refused.exception, BadInput)
    assert said in str(refused.exception)
    assert [path.read_text() for path in checkout.rglob("*.yaml")] == ["mine"]
