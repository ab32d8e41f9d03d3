"""A vendor of the practice range's company, which runs a poisoned package: what it holds, and what is known of it.

"Lumen Data" cleans the company's customer records. It has a key of the warehouse's user and a billing token, may assume
a role, and has a token that no machine here can take back. All is written beside the range, as a person would have it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from rotator.practice import vendor_log
from rotator.practice.ministack import Ministack

NAME = "lumen"
ROLE = "lumen-ingest"
THEIR_ACCOUNT = "111122223333"
POISONED, CLEAN = "1.82.7", "1.82.9"
DATASET, INVOICES = "customers", "invoices"
_ROWS = 40


@dataclass(frozen=True, slots=True)
class Lumen:
    """The files that tell of the vendor, all in one folder; `dataset` is what its credentials reach."""

    folder: Path
    role: str = ROLE

    @property
    def registry(self) -> Path:
        """Who it is: `rotator vendor import`."""
        return self.folder / "vendors.yaml"

    @property
    def inventory(self) -> Path:
        """What it holds: `rotator inventory import`."""
        return self.folder / "inventory.yaml"

    @property
    def sbom(self) -> Path:
        """What it runs: `rotator vendor sbom`."""
        return self.folder / "lumen.cdx.json"

    @property
    def new_sbom(self) -> Path:
        """What it says it runs once it has updated: the same list, made later."""
        return self.folder / "after" / self.sbom.name

    @property
    def advisory(self) -> Path:
        """What is wrong with it, as OSV writes it."""
        return self.folder / "advisory.json"

    @property
    def attestation(self) -> Path:
        """An auditor's report, from before."""
        return self.folder / "soc2-report.txt"

    @property
    def new_attestation(self) -> Path:
        """An auditor's report, from after."""
        return self.folder / "soc2-bridge-letter.txt"

    @property
    def forensics(self) -> Path:
        """What those found who looked at the vendor's machines."""
        return self.folder / "forensic-report.txt"

    @property
    def new_inventory(self) -> Path:
        """What it is to hold from now on, which is less."""
        return self.folder / "inventory-after.yaml"

    @property
    def dataset(self) -> Path:
        """The company's records that the vendor could reach."""
        return self.folder / DATASET

    @property
    def invoices(self) -> Path:
        """The bills that it could read."""
        return self.folder / INVOICES

    def update(self) -> None:
        """Have the vendor write a list of what it runs by now."""
        self.new_sbom.parent.mkdir(exist_ok=True)
        _json(self.new_sbom, _bill(CLEAN))

    def alter(self) -> None:
        """Change one record, as somebody did with the vendor's key."""
        path = self.dataset / "2026-02.csv"
        path.write_text(path.read_text(encoding="utf-8").replace("DE02", "LT99", 1), encoding="utf-8")

    def put_back(self) -> None:
        """Write the dataset as it was, from the backup that a person took."""
        _write_dataset(self.dataset)


def plant(folder: Path, aws: Ministack, key_of: str = "data", token_of: str = "billing", role: str = ROLE) -> Lumen:
    """Make the role that the vendor assumes, and write what is known of it; return where.

    It has the key of the user `key_of`, and the token that `token_of` has with the billing service.
    """
    found = Lumen(folder, role)
    folder.mkdir(parents=True, exist_ok=True)
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{THEIR_ACCOUNT}:root"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": "lumen-4711"}},
    }
    aws.iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(_policy(trust)))
    reads = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{DATASET}/*"}
    aws.iam.put_role_policy(RoleName=role, PolicyName="reads", PolicyDocument=json.dumps(_policy(reads)))
    day = datetime.now(UTC).date()
    _json(found.registry, _registry(role, day - timedelta(days=200), day + timedelta(days=165)))
    _json(found.inventory, {"credentials": _entries(key_of, token_of, role)})
    _json(found.new_inventory, {"credentials": [_narrower(key_of)]})
    _json(found.sbom, _bill(POISONED))
    _json(found.advisory, _ADVISORY)
    found.attestation.write_text("SOC 2, type II. Of Lumen Data, by Ernst & Nobody.\n", encoding="utf-8")
    found.new_attestation.write_text("Bridge letter to the SOC 2 report of Lumen Data.\n", encoding="utf-8")
    found.forensics.write_text(
        "What ran on Lumen Data's build machines, and how we know that it is gone.\n", encoding="utf-8"
    )
    vendor_log.write(folder, aws.iam, key_of)
    _write_dataset(found.dataset)
    _write_dataset(found.invoices)
    return found


def _registry(role: str, since: date, until: date) -> Mapping[str, object]:
    return {
        "vendors": [
            {
                "name": NAME,
                "title": "Lumen Data",
                "criticality": "critical",
                "owner": "data-platform@company.example",
                "contacts": ["security@lumen.example"],
                "accounts": [f"aws:{THEIR_ACCOUNT}"],
                "holds": [{"provider": "aws_role_trust", "owner": f"role/{role}"}],
                "systems": ["warehouse", "billing"],
                "sub_processors": ["harbor"],
                "attestations": [
                    {
                        "kind": "soc2",
                        "issuer": "Ernst & Nobody",
                        "scope": "the cleaning service",
                        "valid_from": str(since),
                        "valid_to": str(until),
                    }
                ],
                "user_impact": {"level": "medium", "why": "records are cleaned a day later"},
                "cost_of_change": {"level": "high", "why": "two other vendors, a quarter to move"},
            },
            {
                "name": "quill",
                "title": "Quill CRM",
                "criticality": "medium",
                "owner": "sales-tools@company.example",
                "sub_processors": [NAME],
            },
            {"name": "harbor", "title": "Harbor Hosting", "criticality": "low", "owner": "it@company.example"},
        ],
        "datasets": [
            {"name": DATASET, "sensitivity": "critical", "manifest": DATASET, "why": "names and accounts of people"},
            {"name": INVOICES, "sensitivity": "high", "manifest": INVOICES},
        ],
    }


def _entries(key_of: str, token_of: str, role: str) -> list[Mapping[str, object]]:
    return [
        {
            "match": {"provider": "aws_iam_access_key", "owner": key_of},
            "vendor": NAME,
            "datasets": [DATASET],
            "reads": [],
            "contact": "data-platform@company.example",
        },
        {
            "match": {"provider": "acme_api_token", "owner": token_of},
            "vendor": NAME,
            "datasets": [INVOICES],
            "reads": [],
        },
        {
            "match": {"provider": "aws_role_trust", "owner": f"role/{role}"},
            "vendor": NAME,
            "datasets": [DATASET],
            "reads": [],
        },
        {
            "match": {"provider": "huggingface_token", "owner": "company-models", "id": "lumen-models"},
            "vendor": NAME,
            "reads": [],
            "contact": "ml@company.example",
        },
    ]


def _narrower(key_of: str) -> Mapping[str, object]:
    match = {"provider": "aws_iam_access_key", "owner": new_owner(key_of)}
    return {"match": match, "vendor": NAME, "datasets": [DATASET], "reads": []}


def new_owner(key_of: str) -> str:
    """Return the user for whom a new key is made, who may do less."""
    return f"{key_of}-cleaning"


_ADVISORY: Mapping[str, object] = {
    "id": "PYSEC-2026-2",
    "aliases": ["GHSA-5mg7-485q-xm76", "MAL-2026-2144"],
    "summary": "litellm 1.82.7 and 1.82.8 steal credentials from wherever they are installed",
    "published": "2026-03-24T12:00:00Z",
    "modified": "2026-03-25T12:00:00Z",
    "affected": [{"package": {"ecosystem": "PyPI", "name": "litellm"}, "versions": [POISONED, "1.82.8"]}],
}


def _bill(version: str) -> Mapping[str, object]:
    packages = {"litellm": version, "openai": "1.99.0", "httpx": "0.28.1"}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "metadata": {
            "timestamp": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "component": {"type": "application", "name": "lumen-cleaner", "version": "4.2"},
        },
        "components": [
            {"type": "library", "name": name, "version": each, "purl": f"pkg:pypi/{name}@{each}"}
            for name, each in packages.items()
        ],
    }


def _write_dataset(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for month in ("2026-01", "2026-02", "2026-03"):
        rows = [f"{month}-{n:03},person {n},DE02{n:018}" for n in range(_ROWS)]
        (folder / f"{month}.csv").write_text("\n".join(["id,name,account", *rows, ""]), encoding="utf-8")


def _policy(*statements: Mapping[str, object]) -> Mapping[str, object]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _json(path: Path, value: object) -> None:
    """Write JSON, which is YAML too."""
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
