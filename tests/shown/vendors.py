"""A ledger with vendors, what they hold and run, and an advisory: what triage and memos are made of."""

from __future__ import annotations

import base64
import json

from rotator.bootstrap import Rotator
from rotator.flow.inventory import Said as Entry
from rotator.flow.registry import Listed, Said, Sort
from rotator.flow.vendor import Software
from rotator.settings.file import load
from tests.fakes.deployment import sqlite

ADVISORY = "PYSEC-2026-2"
RECORD = json.dumps(
    {
        "id": ADVISORY,
        "aliases": ["MAL-2026-2144", "GHSA-5mg7-485q-xm76"],
        "published": "2026-03-24T00:00:00Z",
        "affected": [{"package": {"ecosystem": "PyPI", "name": "litellm"}, "versions": ["1.82.7", "1.82.8"]}],
    }
)
CONFIGURATION = """
data_dir = "data"
[[connections]]
name = "aws"
family = "aws"
account = "123456789012"
budget = {calls_per_second = 1, burst = 1}
"""
KEY = "aws_iam_access_key"


def parts(folder, text=""):
    """Return the parts of a deployment with an empty ledger."""
    (folder / "rotator.toml").write_text(CONFIGURATION + text)
    found = Rotator(load(folder / "rotator.toml"))
    (folder / "data").mkdir(mode=0o700)
    key = folder / "data" / "seal.key"
    key.write_text(base64.b64encode(bytes(32)).decode())
    key.chmod(0o600)
    found.__dict__["database"] = sqlite(folder / "data" / "ledger.db")
    return found


def vendor(name, **keys):
    return Said(Sort.VENDOR, name, {"title": name.title(), **keys}, "vendors.yaml, line 1")


def dataset(name, sensitivity):
    return Said(Sort.DATASET, name, {"sensitivity": sensitivity}, "vendors.yaml, line 2")


def entry(number, of, **keys):
    match = {"provider": KEY, "connection": "aws", "owner": f"{of}-{number}", "id": f"AKIA{of.upper()[:4]}{number:012}"}
    return Entry(match, {"vendor": of, "reads": [], **keys}, f"inventory.yaml, line {number}")


def filled(folder, text=""):
    """Return the parts of a house with four vendors: one that runs what is bad, one that may, one unknown, one far off.

    The first holds two keys and what only a person can cut.
    """
    found = parts(folder, text)
    found.vendors.take(
        [
            dataset("payments", "critical"),
            dataset("logs", "low"),
            vendor("acme", criticality="high", owner="ana", sub_processors=["mailer"]),
            vendor("beta", criticality="medium", cost_of_change={"level": "low", "why": "two others do the same"}),
            vendor("gamma", criticality="critical"),
            vendor("delta", criticality="low", sub_processors=["acme"]),
        ],
        "ben",
    )
    by_hand = Entry({"provider": "unheard_of", "id": "x"}, {"vendor": "acme"}, "inventory.yaml, line 9")
    found.inventory.take(
        [
            entry(1, "acme", datasets=["payments", "logs"], criticality="high", environment="production"),
            entry(2, "acme", datasets=["nobody described it"], consumers=[{"webhook": "http://127.0.0.1:1/x"}]),
            by_hand,
            entry(1, "beta", datasets=["logs"], criticality="low"),
        ],
        "ben",
    )
    bad, unsure = Software("PyPI", "litellm", "1.82.7", "sbom.json"), Software("PyPI", "litellm", "", "freeze.txt")
    found.vendors.runs("acme", Listed("sbom.json", "0" * 64, (bad,), None, 0), "ben")
    found.vendors.runs("beta", Listed("freeze.txt", "1" * 64, (unsure,), None, 0), "ben")
    found.look_again()
    return found
