"""What is true of the outside whatever the ledger says: which credentials live, whose they are, what was done twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests

from tests.e2e.company import ACME, AWS, VAULT, Company
from tests.e2e.holding_proxy import HoldingProxy
from tests.e2e.production import Production, truth
from tests.fakes.deployment import broken_chains


def keys(found: Company) -> dict[str, str]:
    """Return the status of every key of the AWS victim's owner, by id."""
    listed = found.servers.aws.iam.list_access_keys(UserName=found.victim(AWS).use.owner)["AccessKeyMetadata"]
    return {key["AccessKeyId"]: key["Status"] for key in listed}


def acme_tokens(found: Company) -> set[str]:
    """Return every living token of the Acme victim's owner."""
    server = found.servers.acme
    admin = {"Authorization": f"Bearer {server.admin.reveal()}"}
    listed = requests.get(f"{server.address}/tokens", headers=admin, timeout=15).json()["data"]
    owner = found.victim(ACME).use.owner
    return {token["id"] for token in listed if token["owner"] == owner and not token["suspended"]}


def vault_tokens(found: Company) -> set[str]:
    """Return every living token of the Vault victim's owner, by accessor."""
    vault, living = found.servers.vault, set()
    for accessor in vault.call("LIST", "auth/token/accessors")["data"]["keys"]:
        try:
            data = vault.call("POST", "auth/token/lookup-accessor", {"accessor": accessor})["data"]
        except requests.HTTPError:  # it went between the two questions
            continue
        if found.victim(VAULT).use.owner in data["display_name"]:
            living.add(accessor)
    return living


def living(found: Company) -> dict[str, set[str]]:
    """Return the living credentials of every victim's owner, by kind."""
    asked = {AWS: _active_keys, ACME: acme_tokens, VAULT: vault_tokens}
    kinds = [each.use.provider for each in found.victims]
    return {kind: asked[kind](found) for kind in kinds if kind in asked}


def _active_keys(found: Company) -> set[str]:
    return {name for name, status in keys(found).items() if status == "Active"}


def wrong(found: Company, report: Mapping[str, Any]) -> list[str]:
    """Return what is not as it must be at the end, whatever happened: lies, orphans, what is lost or left alive."""
    replacements = {entry["provider"]: {entry["replacement"]} for entry in report["credentials"]}
    orphans = [
        f"{kind}: {sorted(alive)} live, and {sorted(replacements[kind])} should"
        for kind, alive in living(found).items()
        if alive != replacements[kind]
    ]
    count = len(found.victims)
    done = report["totals"]["proven_dead"], report["replaced"], report["converged"]
    unfinished = [] if done == (count, count, count) else [f"of {count}, {done} are dead, replaced and converged"]
    return truth(found, report) + orphans + unfinished


def wrong_in_production(produced: Production, report: Mapping[str, Any]) -> list[str]:
    """Return what is wrong at the end outside and in the ledger, whose every chain is computed again."""
    return wrong(produced.company, report) + broken_chains(produced)


def carried_out(proxy: HoldingProxy, words: bytes) -> int:
    """Return how many requests with these words the server carried out."""
    return sum(words in request for request in proxy.carried_out)


def asked(proxy: HoldingProxy, *actions: str) -> dict[str, int]:
    """Return how often AWS carried each of these actions out, those it never did left out."""
    counts = {name: carried_out(proxy, f"Action={name}&".encode()) for name in actions}
    return {name: count for name, count in counts.items() if count}
