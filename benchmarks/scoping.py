"""How long it takes to find what one stolen credential leads to over very many edges, and to plan for all of it."""

from __future__ import annotations

import random
import time

from rotator.credential import CredentialRef, Leaked
from rotator.flow.blast import expand
from rotator.flow.exposure import Exposure
from rotator.flow.plan import make
from rotator.flow.scope import Custodies, Custody, Scoped
from rotator.playbook_file import load_all
from rotator.ports.store import Place

CREDENTIALS = 5_000
EDGES = 20
"""Paths that each may read; every one means one to several places."""
KIND = "aws_iam_access_key"
TARGET_S = 5.0


def measure(credentials: int = CREDENTIALS) -> list[dict[str, object]]:
    """Return the seconds, of a processor: what else the machine does is not part of it."""
    entries, known = _estate(credentials)
    playbooks = load_all()
    custodies = Custodies(entries)
    begin = time.process_time()
    scoped = [_scoped(Exposure("list", KIND, Leaked(id=known[0].id), "stolen"), known[0], custodies)]
    found = expand(scoped, entries, known=known, roots={"vault": ("kv", "kv/data")}, issuers=lambda _kind: ("aws",))
    by_id = {ref.id: ref for ref in known}
    scoped += [_scoped(each, by_id[each.leaked.id or ""], custodies) for each in found.exposures]
    plan = make(scoped, [], playbooks, {})
    seconds = time.process_time() - begin
    assert len(plan.runs) == credentials
    what = f"scope and plan of {credentials:,} credentials that follow from one, over {EDGES * credentials:,} edges"
    print(f"  {what}: {seconds:.2f} s", flush=True)
    return [{"name": what, "value": round(seconds, 4), "unit": "s", "target": TARGET_S}]


def _estate(credentials: int) -> tuple[list[Custody], list[CredentialRef]]:
    """Return an inventory in which each credential reads others, and the credentials; all hang together."""
    chance = random.Random(1)
    entries = []
    for number in range(credentials):
        others = [number + 1, *(chance.randrange(credentials) for _ in range(EDGES - 1))]
        paths = [f"vault:kv/team-{each % 50}/app-{each}{'*' if each % 10 == 0 else '/aws'}" for each in others]
        entries.append(
            Custody(
                match={"provider": KIND, "owner": f"app-{number}"},
                reads=tuple(paths),
                deliver=(Place("vault_kv", "vault", f"team-{number % 50}/app-{number}/aws"),),
                criticality=("low", "medium", "high")[number % 3],
            )
        )
    return entries, [CredentialRef(KIND, "aws", f"app-{number}", f"AKIA{number:06}") for number in range(credentials)]


def _scoped(exposure: Exposure, ref: CredentialRef, custodies: Custodies) -> Scoped:
    return Scoped(ref, KIND, exposure.leaked, (exposure,), custodies.of(ref), "planted")
