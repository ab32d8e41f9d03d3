"""Whole playbooks of the clouds' kinds, through the engine, on the emulators and fakes of their contract cases."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

import pytest

from rotator.flow.playbook_words import Strategy
from rotator.flow.proof import Evidence
from rotator.ports.store import Place
from tests.contracts.case import opener
from tests.fakes.company import CONSUMER
from tests.fakes.consumer import FakeConsumer
from tests.fakes.deployment import Deployment, Outside, broken_chains, scoped, sqlite
from tests.fakes.store import FakeStore
from tests.fakes.world import World


@dataclass
class Run:
    """What came of one run."""

    states: dict[str, str]
    evidence: Evidence
    asked: list[str]


@contextlib.contextmanager
def incident(kind, strategy, tmp_path, *, with_secret=True):
    """Have one planted credential go through its playbook, a person doing what is asked of him."""
    with opener(kind)(tmp_path / kind) as case:
        ref, secret = case.plant()
        world = World()
        outside = Outside(
            {(ref.provider, ref.connection): case.provider},
            {"kv": FakeStore(world, "kv")},
            {CONSUMER: FakeConsumer(world, CONSUMER)},
        )
        deployment = Deployment(world, outside, sqlite(tmp_path / "ledger.db"))
        exposed = scoped(ref, secret if with_secret else None, Place("fake", "kv", "ci"), consumers=(CONSUMER,))
        deployment.start([exposed], wanted=strategy)
        deployment.rest()
        asked = [each.name for each in deployment.record().runs[0].steps if each.by_hand and each.state == "held"]
        for name in asked:
            if case.by_hand is not None:
                case.by_hand(ref)
            deployment.hands.done("inc-1.r1", name, by="ada", reason="rotated at its issuer")
        deployment.rest()
        assert broken_chains(deployment) == []
        yield Run(deployment.steps(), deployment.record().runs[0].run.evidence, asked)
        deployment.database.close()


@pytest.mark.parametrize(
    ("kind", "strategy", "evidence", "asked"),
    [
        ("aws_sts_session", Strategy.CUT_ONLY, Evidence.PROVEN, []),
        ("aws_console_password", Strategy.REVOKE_ONLY, Evidence.STATED, []),
        ("aws_service_specific_credential", Strategy.REVOKE_ONLY, Evidence.STATED, []),
        ("aws_secret", Strategy.REVOKE_ONLY, Evidence.STATED, ["elsewhere"]),
        ("aws_ssm_parameter", Strategy.REVOKE_ONLY, Evidence.STATED, ["remove"]),
        ("gcp_service_account_key", Strategy.CONTAIN_FIRST, Evidence.PROVEN, []),
        ("gcp_service_account_key", Strategy.REPLACE_FIRST, Evidence.PROVEN, []),
        ("gcp_secret_version", Strategy.REVOKE_ONLY, Evidence.STATED, ["elsewhere"]),
        ("azure_entra_secret", Strategy.REVOKE_ONLY, Evidence.PROVEN, []),
        ("azure_key_vault_secret", Strategy.REVOKE_ONLY, Evidence.STATED, ["elsewhere"]),
        ("gitlab_token", Strategy.CONTAIN_FIRST, Evidence.PROVEN, []),
        ("gitlab_token", Strategy.REVOKE_ONLY, Evidence.PROVEN, []),
        ("kubernetes_service_account_token", Strategy.CONTAIN_FIRST, Evidence.PROVEN, []),
        ("kubernetes_service_account_token", Strategy.REVOKE_ONLY, Evidence.PROVEN, []),
    ],
)
def test_a_run_ends_with_no_more_said_than_was_seen(tmp_path, kind, strategy, evidence, asked):
    with incident(kind, strategy, tmp_path) as run:
        assert (set(run.states.values()), run.evidence, run.asked) == ({"done"}, evidence, asked)
