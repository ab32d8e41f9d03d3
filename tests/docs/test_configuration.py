"""docs/configuration.md tells every key, with the default that holds, and no key that is not there."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from rotator.notices.event import BY_DEFAULT, Event
from rotator.settings.approval import ApprovalSettings, PersonSettings, StandingOrderSettings
from rotator.settings.configuration import Settings
from rotator.settings.connections import Budget, ConnectionSettings
from rotator.settings.consumers import ConsumerSettings
from rotator.settings.credentials import CredentialSettings, Match, PlaceSettings
from rotator.settings.notices import NoticeSettings, SmtpSettings
from rotator.settings.ownership import OwnershipSettings
from rotator.settings.siem import SiemSettings
from rotator.settings.sign_in import OidcSettings, SignInSettings, WebSettings
from rotator.settings.triggers import TriggerSettings
from rotator.settings.vendors import GateSettings
from tests.docs.pages import ROOT

TEXT = (ROOT / "docs" / "configuration.md").read_text()
OF_A_FAMILY = {
    "aws": {"region"},
    "gcp": {"ca_file"},
    "vault": {"namespace", "ca_file", "mount", "hosts"},
    "ssh": {
        "hosts",
        "user",
        "known_hosts",
        "authorized_keys",
        "authorized_principals",
        "revoked_keys",
        "trusted_ca_keys",
        "administrator",
    },
    "kubernetes": {"ca_file"},
    "http": {"ca_file", "settings"},
    "github": {"ca_file", "ssh_address"},
    "gitguardian": {"ca_file"},
    "gitlab": {"ca_file"},
    "pagerduty": {"ca_file"},
    "file": {"folder"},
    "azure": {"ca_file", "vault"},
    "webhook": {"ca_file"},
    "postgres": {"user", "tls", "ca_file"},
    "ldap": {"user", "base", "ca_file"},
    "mysql": {"user", "tls", "ca_file"},
    "rabbitmq": {"user", "amqp", "ca_file"},
    "redis": {"user", "ca_file"},
}


def section(heading):
    """Return what stands under a heading, up to the next of its own or a higher rank."""
    [found] = re.findall(rf"^(#+) {re.escape(heading)}.*?\n(.*?)(?=^#|\Z)", TEXT, re.MULTILINE | re.DOTALL)
    return found[1]


def keys_told(text):
    return set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))


def test_every_key_of_the_top_level_is_told_and_none_besides():
    assert keys_told(section("Top level")) == set(Settings.model_fields) - {"folder", "file"}


def test_every_key_of_a_connection_is_told_and_none_besides():
    assert keys_told(section("`[[connections]]`")) == set(ConnectionSettings.model_fields)


def test_every_key_of_a_credential_and_its_consumers_and_every_store_is_told_and_none_besides():
    keys = set(CredentialSettings.model_fields) | set(ConsumerSettings.model_fields)
    stores = {path.stem for path in (ROOT / "rotator" / "stores").glob("[a-z]*.py")}
    assert keys_told(section("`[[credentials]]`")) == keys | stores


def test_every_key_of_a_trigger_is_told_and_none_besides():
    assert keys_told(section("`[[triggers]]`")) == set(TriggerSettings.model_fields)


def test_every_key_of_a_channel_to_a_siem_is_told_and_none_besides():
    assert keys_told(section("`[[siem]]`")) == set(SiemSettings.model_fields)


def test_every_key_of_the_owners_table_is_told_and_none_besides():
    assert keys_told(section("`[ownership]`")) == set(OwnershipSettings.model_fields)


def test_every_key_and_every_sort_of_a_vendors_gate_is_told_and_none_besides():
    sorts = set(get_args(GateSettings.model_fields["asks"].annotation))
    assert keys_told(section("`[[vendors.gates]]`")) == set(GateSettings.model_fields) | sorts


def test_every_key_of_a_channel_is_told_and_none_besides():
    assert keys_told(section("`[[notices]]`")) == set(NoticeSettings.model_fields)
    assert keys_told(section("`smtp` of `[[notices]]`")) == set(SmtpSettings.model_fields)


def test_every_event_that_people_can_be_told_of_is_told():
    page = (ROOT / "docs" / "notices.md").read_text()
    told = re.findall(r"^\| (`[^|]*`) \|[^|]*\| ([^|]*) \|", page, re.MULTILINE)
    listed = [(event, by_default) for events, by_default in told for event in re.findall(r"`(\w+)`", events)]
    assert sorted(event for event, _ in listed) == sorted(Event)
    assert {event for event, given in listed if given == "yes" or f"`{event}`" in given} == BY_DEFAULT


@pytest.mark.parametrize(
    ("heading", "model"),
    [
        ("`[approval]`", ApprovalSettings),
        ("`[[people]]`", PersonSettings),
        ("`[[standing_orders]]`", StandingOrderSettings),
        ("`[web]`", WebSettings),
        ("`[sign_in]`", SignInSettings),
        ("`[sign_in.oidc]`", OidcSettings),
    ],
)
def test_every_key_of_approval_and_signing_in_is_told_and_none_besides(heading, model):
    assert keys_told(section(heading)) == set(model.model_fields)


@pytest.mark.parametrize("model", [Match, PlaceSettings, Budget], ids=lambda model: model.__name__)
def test_every_key_of_a_table_inside_is_named(model):
    assert [key for key in model.model_fields if not re.search(rf"\b{key}\b", TEXT)] == []


@pytest.mark.parametrize("family", OF_A_FAMILY)
def test_every_setting_that_a_family_reads_is_told(family):
    assert keys_told(section(f"Family `{family}`")) >= OF_A_FAMILY[family]


def test_no_setting_of_a_family_is_read_that_this_test_does_not_know():
    read = set()
    for folder in ("families", "providers", "stores"):
        for path in (ROOT / "rotator" / folder).glob("*.py"):
            read |= set(re.findall(r"(?:settings|given)\.get\(\"(\w+)\"", path.read_text()))
    assert read == set().union(*OF_A_FAMILY.values())


@pytest.mark.parametrize(("key", "default"), [("broker_url", "memory://"), ("concurrency", "32"), ("playbooks", "[]")])
def test_the_defaults_told_are_the_ones_that_hold(key, default):
    assert str(Settings.model_fields[key].get_default()) == default
    assert re.search(rf"^\| `{key}` \|[^|]*\| `{re.escape(default)}` \|", TEXT, re.MULTILINE)
