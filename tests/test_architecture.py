"""The house keeps its own promises: a kind is a file, a playbook, a contract case and a test, and no registry."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rotator.credential import Secret
from rotator.flow.playbook_check import capabilities, check
from rotator.playbook_file import SHIPPED, load_all
from rotator.ports.connection import Connection
from rotator.report.kinds import PRACTICE
from tests.contracts.case import case_names
from tests.fakes.vendor_server import shape_names

ROOT = Path(__file__).parents[1]
PLAYBOOKS = load_all()
PROVIDERS = sorted(path.stem for path in (ROOT / "rotator" / "providers").glob("[!_]*.py"))
OURS = "rotator_api_token"
OF_VENDORS = {name for name, playbook in PLAYBOOKS.items() if playbook.provider == "http"} - PRACTICE - {OURS}
"""The practice range's own service stands for itself, and so does rotator."""
HOST_KEY = "127.0.0.1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHh7Ecj4sJw7CVtmWvLmVRvs/3e9oSOeTsPIbYvU03Ad"
ADDRESSES = {
    "redis": "redis://127.0.0.1:9",
    "postgres": "postgresql://127.0.0.1:9",
    "mysql": "mysql://127.0.0.1:9",
    "ldap": "ldap://127.0.0.1:9",
}
"""Of the families that do not speak HTTP."""
MAY_IMPORT = (
    "rotator.credential",
    "rotator.errors",
    "rotator.families",
    "rotator.kind",
    "rotator.permissions",
    "rotator.ports",
    "rotator.rest_",
)


@functools.cache
def imports_of(path):
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            found.append(node.module or "")
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
    return found


@pytest.mark.parametrize("name", sorted(PLAYBOOKS))
def test_a_playbook_is_found_under_its_own_name_and_answers_somebody(name):
    playbook = PLAYBOOKS[name]
    assert (SHIPPED / f"{name}.yaml").is_file()
    assert playbook.provider in PROVIDERS
    assert playbook.provider in {name, "http", "by_hand"}
    assert playbook.recognises["list"] == [name]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_provider_has_a_playbook_a_contract_case_and_a_test(provider):
    assert provider in {playbook.provider for playbook in PLAYBOOKS.values()}
    assert provider == "by_hand" or provider in case_names()  # its case stands for each of its kinds
    assert (ROOT / "tests" / "providers" / f"test_{provider}.py").is_file()


@pytest.mark.parametrize("kind", sorted(PLAYBOOKS.keys() - PRACTICE))
def test_every_row_of_the_list_of_kinds_passes_the_contract(kind):
    """`rotator provider list` has a row for each playbook; a case by a kind's name is held to be of that kind."""
    assert kind in case_names()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_provider_is_reached_by_its_name_alone(provider):
    connect = importlib.import_module(f"rotator.providers.{provider}").connect
    assert list(inspect.signature(connect).parameters) == ["connection", "name", "rest"]
    listed = [
        str(path.relative_to(ROOT))
        for folder in ("rotator", "workers")
        for path in (ROOT / folder).rglob("*.py")
        if any(name.startswith("rotator.providers") for name in imports_of(path))
    ]
    assert listed == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_provider_imports_only_what_every_provider_may(provider):
    ours = {name for name in imports_of(ROOT / f"rotator/providers/{provider}.py") if name.startswith("rotator")}
    assert {name for name in ours if not name.startswith(MAY_IMPORT)} == set()


@pytest.mark.parametrize("name", sorted(PLAYBOOKS))
def test_a_playbook_asks_only_for_what_its_provider_can_do(name):
    """Without a network: making a provider opens no connection."""
    playbook = PLAYBOOKS[name]
    module = importlib.import_module(f"rotator.providers.{playbook.provider}")
    given = dict.fromkeys(playbook.http.settings, "x") if playbook.http is not None else {}
    settings = {"hosts": ["127.0.0.1"], "user": "deploy", "known_hosts": HOST_KEY, "settings": given}
    address = ADDRESSES.get(getattr(module, "FAMILY", ""), "http://127.0.0.1:9")
    own = Connection("own", "any", "111122223333", address, lambda: Secret("{}"), settings)
    assert check(playbook, capabilities(module.connect(own, name, playbook.http))) == []


def test_the_import_rule_holds():
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([str(lint), "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_nothing_in_the_locks_names_a_server():
    """Where packages come from is the installer's business: an index or an address here would bind every site to it."""
    for lock in (ROOT / "lock").glob("*.txt"):
        assert not re.search(r"://|--(extra-)?index-url|--find-links", lock.read_text()), lock


def test_every_term_of_a_playbook_stands_in_the_glossary():
    terms = (ROOT / "docs" / "glossary.md").read_text()
    schema = json.loads((ROOT / "docs" / "playbook.schema.json").read_text())
    words = {str(word) for name in ("Strategy", "Until") for word in schema["$defs"][name]["enum"]}
    words |= {action.split()[0] for action in schema["$defs"]["Line"]["properties"]["do"]["enum"]}
    assert {word for word in words if f"`{word}`" not in terms} == set()


@pytest.mark.parametrize("name", sorted({*OF_VENDORS, *shape_names()}))
def test_a_vendors_playbook_has_the_published_shapes_that_it_is_tried_on(name):
    assert name in shape_names(), f"tests/fakes/vendors/{name}.yaml is missing"
    assert name in OF_VENDORS, f"playbooks/{name}.yaml is missing"
