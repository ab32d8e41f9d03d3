"""Who plays a shipped kind where the four of `company.py` cannot: a fake of just those capabilities."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from tests.fakes.authorities import AuthorityIssuer
from tests.fakes.batch_issuer import BatchIssuer
from tests.fakes.doors import DoorIssuer
from tests.fakes.issuer import Issuer
from tests.fakes.parts import (
    Cuts,
    Doorless,
    IsASession,
    LeftToPeople,
    LetInAtDoors,
    ListedAtDoors,
    Mints,
    MintsUnmarked,
    Preserves,
    Suspends,
    TakenOut,
    Undestroyed,
    Unseen,
    UntoldRefusal,
    Versions,
    chosen,
    of,
)
from tests.fakes.world import World

DOORS = ("web-1", "web-2")
GATHER_S = 2.0
SLOW = frozenset({"azure_entra_secret", "gcp_service_account_key", "github_token"})
"""Kinds that are not knocked at before a change can be felt."""
AT_ONCE = frozenset({"ldap_password", "mariadb_user", "postgres_role", "ssh_krl_key", "ssh_principal", "vault_ssh_ca"})
"""Kinds of which a change is felt at once."""

ACTORS: dict[str, Callable[[Issuer], Any]] = {
    "age_key": of(Unseen, Doorless, LeftToPeople),
    "anthropic_api_key": of(Preserves, Suspends, Undestroyed),
    "auth0_client_secret": of(Unseen, LeftToPeople),
    "aws_console_password": of(Preserves, Cuts, Doorless),
    "aws_role_trust": of(Preserves, TakenOut, Cuts, Doorless, Undestroyed),
    "aws_secret": of(Preserves, Suspends, Doorless, Undestroyed),
    "aws_service_specific_credential": of(Preserves, Suspends, Doorless),
    "aws_ssm_parameter": of(Preserves, Doorless, LeftToPeople),
    "aws_sts_session": of(Preserves, IsASession),
    "azure_entra_secret": of(Preserves, Mints),
    "azure_refresh_token": functools.partial(BatchIssuer, batch_size=20),
    "discord_webhook_url": functools.partial(BatchIssuer, batch_size=1),
    "gcp_iam_binding": of(Preserves, TakenOut, Doorless, Undestroyed),
    "gcp_secret_version": of(Preserves, Suspends, Doorless),
    "gcp_service_account_key": of(Preserves, Suspends, MintsUnmarked),
    "github_app_installation": of(Preserves, Doorless, LeftToPeople),
    "github_token": functools.partial(BatchIssuer, gather_s=GATHER_S),
    "ldap_password": chosen(Preserves),
    "mariadb_user": chosen(Preserves, Cuts),
    "mongodb_atlas_secret": of(Preserves, MintsUnmarked),
    "okta_client_secret": of(Preserves, Suspends, MintsUnmarked),
    "postgres_role": chosen(Preserves, Suspends, Cuts),
    "ssh_krl_key": lambda issuer: ListedAtDoors(DoorIssuer(issuer, DOORS)),
    "ssh_principal": lambda issuer: LetInAtDoors(DoorIssuer(issuer, DOORS)),
    "tls_private_key": of(Unseen, Doorless, LeftToPeople),
    "twilio_api_key": of(Preserves, Mints, UntoldRefusal),
    "vault_approle_secret_id": of(Preserves, Cuts, Mints),
    "vault_ssh_ca": lambda issuer: AuthorityIssuer(DoorIssuer(issuer, DOORS)),
    "vault_transit_key": of(Preserves, Suspends, MintsUnmarked, Versions),
}


def actor(world: World, kind: str, propagation_s: float = 0.0, settle_s: float = 0.0) -> Any:
    """Return the fake of a kind, on an account of its own."""
    found = ACTORS[kind](Issuer(world, kind, f"account-of-{kind}", 0.0 if kind in AT_ONCE else propagation_s))
    found.settle_s, found.propagation_s = settle_s, propagation_s if kind in SLOW else 0.0
    return found
