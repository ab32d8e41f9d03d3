"""What others wrote is shown as text: it commands no terminal, is no markup and can always be written."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from rotator.credential import CredentialRef, Leaked
from rotator.flow.access import User, Uses
from rotator.flow.budget import Limit
from rotator.flow.exclusion import exclusions
from rotator.flow.exposure import Exposure, Suspect
from rotator.flow.forecast import forecast
from rotator.flow.outage import expected
from rotator.flow.plan import make
from rotator.flow.scope import ConsumerAddress, Custody, Scoped, Unresolved
from rotator.flow.standing import CredentialState
from rotator.playbook_file import load_all
from rotator.ports.store import Place
from rotator.report.leaked import leaked_table
from rotator.report.plain import plain
from rotator.report.plan import plan_text
from rotator.report.planned import document
from rotator.report.tables import words
from rotator.report.terminal import incident_text, planned_text

EVIL = "a\x1b]0;owned\x07\x9b2J\r\udcff\u202e[/bold][link=http://evil]"
COUNTED = ("altered", "missing", "new", "unread")
TIMES = {"max_s": None, "still_open": 1}


def shown(renderable):
    screen = Console(file=io.TextIOWrapper(io.BytesIO(), "utf-8", newline=""), force_terminal=False, width=400)
    screen.print(renderable)
    screen.file.flush()
    return screen.file.buffer.getvalue().decode()


def is_tame(text):
    assert "[/bold][link=http://evil]" in text
    return all(letter.isprintable() or letter == "\n" for letter in text)


def test_words_of_others_stay_on_their_line():
    assert plain("a\nb\x1b[1m") == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}[1m"
    assert words("[b]", "c\nd") == "\\[b]\nc\N{REPLACEMENT CHARACTER}d"


def exposures():
    return (Exposure("list", EVIL, Leaked(id=EVIL), path=EVIL, line=1),)


def test_what_leaked():
    assert is_tame(shown(leaked_table([Suspect(None, EVIL, Leaked(id=EVIL), exposures())])))


def test_a_plan():
    ref = CredentialRef("vault_token", "vault", EVIL, EVIL)
    place = Place("vault_kv", "vault", EVIL)
    custody = Custody({}, reads=(), deliver=(place,), consumers=(ConsumerAddress("command", (EVIL,)),))
    scoped = Scoped(ref, "vault_token", Leaked(id=EVIL), exposures(), custody, EVIL)
    plan = make([scoped], [Unresolved(None, EVIL, (), EVIL, EVIL)], load_all([]), {ref: ("",)})
    found = forecast(plan, {"vault": Limit(1.0)})
    uses = {EVIL: Uses(EVIL, 1, 1.0, 2.0, (User(EVIL, EVIL, 1, 1.0, 2.0),))}
    told = document(plan, [scoped], found, expected(plan, [scoped], found, uses), {EVIL: True, "b": False})
    assert json.loads(json.dumps(told)) == told
    assert is_tame(shown(plan_text(told)))
    out = make([scoped], [], load_all([]), {}, exclusions=exclusions(["provider:vault_*"], [EVIL], EVIL))
    assert is_tame(shown(plan_text(document(out, [scoped], forecast(out, {}), ()))))


@pytest.mark.parametrize("of", [incident_text, lambda report: planned_text(report, {})])
def test_a_report(of):
    step = dict.fromkeys(("id", "target", "do", "state", "reason"), EVIL)
    times = {"state": "failed", "intended_at": "", "settled_at": "", "attempts": 2}
    names = ("run", "provider", "connection", "owner", "id", "strategy", "why", "replacement")
    told = dict.fromkeys(names, EVIL) | {"state": "failed", "open": [EVIL], "steps": [step | times]}
    told |= {"dismissed": {"means": EVIL, "by": EVIL, "at": "", "reason": EVIL, "issuer_says": EVIL}}
    told |= {"deliver": [EVIL], "consumers": [EVIL], "awaits": [EVIL], "wave": 1}
    waits = dict.fromkeys(("step", "target", "state", "reason", "due_at", "command", "kept_by"), EVIL)
    waits |= {"ways": [{"command": EVIL, "means": EVIL}]}
    undone = dict.fromkeys(("step", "target", "by", "state", "why", "means"), EVIL)
    told |= {
        "stopped": [EVIL],
        "risk_accepted": EVIL,
        "risk_accepted_of": [EVIL],
        "gone_ahead": EVIL,
        "undone": [undone],
        "skipped": [undone],
        "released": [undone],
        "next": [waits, waits | {"due_at": ""}],
        "trying": [dict.fromkeys(("step", "target", "until", "told", "then", "means"), EVIL)],
        "settled_by": EVIL,
        "also": [EVIL],
        "others": [],
    }
    told |= {"others": [told]}
    told |= {"proven_dead_at": "", "stated_dead_at": "", "replaced_at": "2026", "converged_at": ""}
    recorded = dict.fromkeys(("name", "source", "host", "recorded_at", "recorded_by"), EVIL)
    check = dict.fromkeys(("source", "at", "by", "read_by", "read_at"), EVIL) | dict.fromkeys(("same", *COUNTED), 1)
    incident = dict.fromkeys(("detected_at", "declared_at", "plan", "stale"), "")
    incident |= {"approved_at": "2026", "begun": True, "approve": EVIL, "closed_at": "2026"}
    incident |= dict.fromkeys(("closed_by", "closed_reason", "reopen"), EVIL)
    incident |= {
        "stops": [dict.fromkeys(("what", "by", "reason", "command"), EVIL)],
        "gates": [
            dict.fromkeys(("by", "reason", "command", "incident"), EVIL)
            | {"name": name, "is_open": False, "waiting": 1}
            for name in (EVIL, "brake", "no_legal_hold", f"destruction {EVIL}")
        ],
        "footholds": [
            dict.fromkeys(("host", "by", "reason", "command", "incident"), EVIL)
            | {"state": state, "holds_up": [EVIL] * held, "known": False}
            for state, held in ((EVIL, 1), ("open", 1), ("open", 0))
        ],
        "warnings": [EVIL],
        "alive_again": [dict.fromkeys(("run", "provider", "id", "why", "command"), EVIL)],
        "to_be_resumed": [dict.fromkeys(("run", "provider", "id", "why", "step", "at", "when", "command"), EVIL)],
        "start": EVIL,
        "work": EVIL,
        "datasets": [recorded | {"checked": None, "result": EVIL}, recorded | {"checked": check, "result": EVIL}],
    }
    said = dict.fromkeys(("plan", "scope", "by", "role", "at", "break_glass", "note", "command"), EVIL)
    said |= {"reviewed_at": "2026", "reviewed_by": EVIL}
    revision = dict.fromkeys(("incident", "plan", "approved_at", "approved_by"), EVIL) | {
        "revision": 1,
        "by_who_made_it": True,
    }
    revision |= {"said": [said], "only_for_good": [EVIL], "wanted": [{"words": EVIL, "of": [EVIL], "command": EVIL}]}
    message = dict.fromkeys(("channel", "at", "reason"), EVIL) | {"events": [EVIL]}
    incident |= {"told": [message | {"state": state} for state in ("sent", "given_up", EVIL)]}
    incident |= {"reviews": [said], "approvals": [revision, revision | {"by_who_made_it": False}]}
    report = {
        "incident": incident | {"id": "inc", "title": EVIL, "severity": "high"},
        "credentials": [told],
        "taken_back": [
            dict.fromkeys(("of", "as", "by", "reason", "reopened_at", "reopened_by", "reopened_reason"), EVIL)
        ],
        "totals": dict.fromkeys(("credentials", *CredentialState), 0),
        "replaced": 0,
        "converged": 0,
        "unidentified": 0,
        "time_to_revoke": TIMES,
        "revocation_latency": TIMES,
    }
    assert is_tame(shown(of(report)))
