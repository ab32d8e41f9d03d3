"""From triage to a declared plan: what one incident left out, the next one asks about before it makes a secret."""

from __future__ import annotations

from rotator import response
from rotator.bootstrap import Rotator
from rotator.credential import Leaked
from rotator.flow.exclusion import exclusions
from rotator.flow.exposure import Disposition, Suspect
from rotator.flow.incident import Severity
from rotator.flow.unguarded import STEP
from rotator.ports.store import Place
from rotator.scoping import Scope
from rotator.settings.file import load
from rotator.triage import Findings
from tests.flow.test_plan import stolen

CONFIGURED = """
data_dir = "data"
[[connections]]
name = "prod"
family = "aws"
region = "us-east-1"
"""
PLACE = Place("aws_secrets_manager", "prod", "ci")


def prepared(monkeypatch, parts, *found, **asked):
    scope = Scope(Findings(found, (), {}))
    monkeypatch.setattr(response, "_scope", lambda *_: (scope, (), {}))
    return response.prepare(parts, [Suspect(None, "f1", Leaked(), ())], **asked)


def test_a_later_incident_asks_before_each_mint_where_an_earlier_one_excluded_who_reads(tmp_path, monkeypatch):
    (tmp_path / "rotator.toml").write_text(CONFIGURED)
    parts = Rotator(load(tmp_path / "rotator.toml"))
    reader = stolen("aws_iam_access_key", "2", owner="canary", reads=("prod:*",), deliver=(PLACE,))
    key, other = (stolen("aws_iam_access_key", name, owner=name, reads=(), deliver=(PLACE,)) for name in "13")
    out = exclusions(["id:2"], ["ours"], "ann")
    first = prepared(monkeypatch, parts, other, reader, exclusions=out)
    told = {"title": "stolen", "severity": Severity.HIGH, "detected_at": 1.0, "by": "ann"}
    response.declare(parts, first, approved=True, **told)
    [run] = prepared(monkeypatch, parts, key).plan.runs
    assert STEP in [step.name for segment in run.segments for step in segment.steps]
    parts.database.close()


def test_a_later_incident_warns_of_what_was_dismissed_as_a_canary_and_leaves_it_in_the_plan(tmp_path, monkeypatch):
    (tmp_path / "rotator.toml").write_text(CONFIGURED)
    parts = Rotator(load(tmp_path / "rotator.toml"))
    bait, key = (stolen("aws_iam_access_key", name, owner=name, reads=(), deliver=(PLACE,)) for name in "12")
    told = {"title": "stolen", "severity": Severity.HIGH, "detected_at": 1.0, "by": "ann"}
    incident = response.declare(parts, prepared(monkeypatch, parts, bait, key), **told).id
    of = parts.dismissing.named(incident, "1").id
    parts.dismissing.dismiss(incident, of, Disposition.CANARY, "ann", "ours")
    plan = prepared(monkeypatch, parts, bait, key).plan
    assert {run.ref for run in plan.runs} == {bait.ref, key.ref}
    [said] = [each for each in plan.warnings if "canary" in each]
    assert said.startswith(f"1 was dismissed as a canary in {incident}: for good, in every incident: `canary = true`")
    parts.dismissing.reopen(incident, of, "ann", "it is not")
    assert not any("canary" in each for each in prepared(monkeypatch, parts, bait).plan.warnings)
    parts.database.close()
