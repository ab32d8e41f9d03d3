"""How long it takes to measure what each of many places reaches, and which cuts shrink it most."""

from __future__ import annotations

import random
import time

from rotator.credential import CredentialRef
from rotator.flow import cuts, segmentation
from rotator.flow.attack_graph import AttackGraph
from rotator.flow.scope import Custodies, Custody
from rotator.flow.site import Site, SiteKind
from rotator.flow.stock import stock
from rotator.ports.store import Place

PLACES, CREDENTIALS = 2_000, 50_000
TEAMS = 200
HUBS = 20
"""Tokens that read the whole store: each joins all that is kept there into one component."""
KIND = "aws_iam_access_key"
TARGET_S = 20.0


def measure(places: int = PLACES, credentials: int = CREDENTIALS) -> list[dict[str, object]]:
    """Return the seconds, of a processor: what else the machine does is not part of it."""
    entries, known = _estate(places, credentials)
    figures: list[dict[str, object]] = []
    what = f"{places:,} places and {credentials:,} credentials"

    def told(name: str, begun: float) -> None:
        seconds = time.process_time() - begun
        print(f"  {name} of {what}: {seconds:.2f} s", flush=True)
        figures.append({"name": f"{name} of {what}", "value": round(seconds, 4), "unit": "s", "target": TARGET_S})

    begun = time.process_time()
    graph = AttackGraph(stock(entries, known), Custodies(entries), {"vault": ("kv", "kv/data")}, lambda _kind: ("aws",))
    told("attack graph", begun)
    begun = time.process_time()
    found = segmentation.by_place(graph)
    told("reach", begun)
    begun = time.process_time()
    best = cuts.alone(graph, 10)
    told("ten best cuts, each alone,", begun)
    begun = time.process_time()
    last = cuts.in_turn(graph, 10)[-1]
    told("ten best cuts in turn", begun)
    whole = segmentation.whole(graph, found)
    assert whole.places == places
    print(f"  reach {whole.reach:,.0f}: without one edge {best[0].left:,.0f}, without ten {last.left:,.0f}")
    return figures


def _estate(places: int, credentials: int) -> tuple[list[Custody], list[CredentialRef]]:
    """Return an inventory: teams' credentials in a store, some of which read their team's, few of which read all."""
    chance = random.Random(1)
    teams = min(TEAMS, credentials // 10)
    entries = []
    for number in range(credentials):
        team = number % teams
        reads = [f"vault:kv/team-{team}/app-{chance.randrange(credentials)}*"] if number % 5 == 0 else []
        reads += [f"vault:kv/team-{team}/*"] if number % 50 == 0 else []
        reads += ["vault:kv/*"] if number < HUBS else []
        near = [Site(SiteKind.HOST, f"ci-{number % places}"), Site(SiteKind.HOST, f"ci-{chance.randrange(places)}")]
        entries.append(
            Custody(
                match={"provider": KIND, "owner": f"app-{number}"},
                reads=tuple(reads),
                deliver=(Place("vault_kv", "vault", f"team-{team}/app-{number}/aws"),),
                criticality=("low", "medium", "high", "critical")[number % 4],
                reachable_from=tuple(near),
                datasets=(f"dataset-{number % 500}",) if number % 20 == 0 else (),
            )
        )
    return entries, [CredentialRef(KIND, "aws", f"app-{number}", f"AKIA{number:06}") for number in range(credentials)]
