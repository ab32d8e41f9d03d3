"""A pipeline sends what its vendor runs at each build: by a secret that is good for this vendor's list alone."""

from __future__ import annotations

import json
import time

import pytest

from rotator.errors import BadInput
from rotator.flow.registry import Said, Sort
from rotator.settings.file import load
from tests.api.deployment import configured, web
from tests.ledger.test_vendors import chain
from tests.shown.vendors import RECORD
from tests.triggers import signing
from tests.triggers.signing import replace

CONFIGURED = """
data_dir = "data"
[[triggers]]
sender = "generic"
name = "lumen-build"
vendor = "lumen"
secret = "file:whsec"
[[triggers]]
sender = "generic"
name = "nobody"
vendor = "nobody"
secret = "file:whsec-too"
"""


def bill(version="1.82.7", at="2026-11-20T08:00:00Z"):
    component = {"type": "library", "name": "litellm", "version": version, "purl": f"pkg:pypi/litellm@{version}"}
    metadata = {"metadata": {"timestamp": at}} if at else {}
    whole = {"bomFormat": "CycloneDX", "specVersion": "1.6", **metadata, "components": [component]}
    return json.dumps(whole).encode()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    (folder / "whsec-too").write_text(signing.WHSEC)
    (folder / "whsec-too").chmod(0o600)
    with web(configured(folder, "", CONFIGURED)) as found:
        found.parts.vendors.take([Said(Sort.VENDOR, "lumen", {"title": "Lumen"}, "v.yaml, line 1")], "ben")
        yield found


def sent(server, body, door="lumen-build", name="msg_1"):
    delivery = replace(signing.generic(time.time(), body, name), path=f"/hooks/generic/{door}")
    return server.sends(delivery.with_headers(Content_Type="application/vnd.cyclonedx+json"))


def told(server):
    return [each for each in chain(server.parts.database, "vendor.lumen") if each["act"] == "software_told"]


def test_what_it_sends_replaces_its_list_and_the_same_again_is_no_news(server):
    before = len(told(server))
    for body, name in ((bill(), "msg_1"), (bill(), "msg_2"), (bill("1.82.9"), "msg_3")):
        assert sent(server, body, name=name)[:2] == (200, {"state": "received"})
    [found] = server.parts.vendors.lists("lumen")
    assert (found.source, found.components) == ("lumen-build", 1)
    [runs] = server.parts.vendors.one("lumen").software
    assert (runs.name, runs.version) == ("litellm", "1.82.9")
    assert len(told(server)) == before + 2
    assert {each["by"] for each in told(server)} == {"generic/lumen-build webhook"}
    assert server.counted("generic/lumen-build", "again") == 1


def test_one_without_a_day_is_of_the_day_on_which_it_comes_each_time(server):
    before = len(told(server))
    for _ in range(2):
        assert sent(server, bill(at=""))[0] == 200
    assert len(told(server)) == before + 2


@pytest.mark.parametrize(
    ("body", "door", "status", "reason"),
    [
        (b"not a list", "lumen-build", 400, "unreadable"),
        (RECORD.encode(), "lumen-build", 400, "unreadable"),
        (json.dumps({"title": "x", "credentials": [{"kind": "k", "id": "i"}]}).encode(), "lumen-build", 400, None),
        (b" " * ((8 << 20) + 1), "lumen-build", 413, "too_large"),
        (bill(), "nobody", 503, "not_ready"),
    ],
)
def test_anything_else_is_refused_and_changes_nothing(server, body, door, status, reason):
    before = told(server), server.parts.vendors.lists("lumen")
    answered, said, _ = sent(server, body, door)
    assert (answered, said["reason"]) == (status, reason or "unreadable")
    assert (told(server), server.parts.vendors.lists("lumen")) == before
    assert server.parts.triggers.listed() == []


def test_a_list_that_nobody_signed_is_refused(server):
    changed = signing.generic(time.time(), bill())
    delivery = replace(changed, path="/hooks/generic/lumen-build", body=bill("6.6.6"))
    assert server.sends(delivery)[0] == 401


@pytest.mark.parametrize("secrets", ['secret = "file:whsec"', 'secret = "file:own"\nprevious = "file:whsec"'])
def test_a_secret_that_would_open_a_door_of_others_too_is_refused(tmp_path, secrets):
    second = f'{CONFIGURED}[[triggers]]\nsender = "generic"\nname = "second"\n{secrets}\n'
    for vendor in ("", 'vendor = "other"'):
        with pytest.raises(BadInput, match=r"generic/lumen-build and generic/second share a secret"):
            load(configured(tmp_path, "", f"{second}{vendor}"))
    assert len(load(configured(tmp_path, "", f'{second}vendor = "lumen"')).triggers) == 3
