"""The command: imported once the clock is in place."""

from __future__ import annotations

import os
import sys
import tempfile
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from tests import ledgers_at_once
from tests.soak.planted import BUGS
from tests.soak.run import PROCESSES, Player, complaints, lines, nights, soak

say = partial(print, flush=True)
SEED = "20261122"
INCIDENTS = 1000
MOST = 100
"""So many incidents a planted bug may survive."""


HELP = """\
python -m tests.soak                           play SEED's nights until INCIDENTS have been (both from the environment)
python -m tests.soak --night NUMBER [OWNER]    tell one night, or what one owner's credentials met in it
python -m tests.soak --planted [BUG]           plant each bug, or those named, and see that it is found"""


def main(asked: list[str]) -> int:
    """Return 0 when nothing is wrong."""
    seed = os.environ.get("SEED") or SEED
    incidents = int(os.environ.get("INCIDENTS") or INCIDENTS)
    match asked:
        case ["--night", number, *owner]:
            return tell_night(seed, int(number), owner)
        case ["--planted", *names]:
            return plant(seed, int(os.environ.get("INCIDENTS") or MOST), names)
        case [word, *_]:
            if word not in {"--help", "-h"}:
                say(f"what is {word}?", file=sys.stderr)
            say(HELP)
            return 0 if word in {"--help", "-h"} else 2
        case _:
            found = soak(seed, incidents, PROCESSES)
    wrong = list(complaints(found))
    for line in wrong:
        say(line, file=sys.stderr)
    for line in lines(seed, found):
        say(line)
    return 1 if wrong else 0


def plant(seed: str, most: int, names: list[str]) -> int:
    """Plant one bug after the other; return 0 when each is found."""
    missed = 0
    wanted = [bug for bug in BUGS if not names or bug.name in names]
    ledgers_at_once.made()  # once, and not in each fork
    with get_context("fork").Pool(PROCESSES, maxtasksperchild=1) as pool:
        for told in pool.imap(partial(find, seed, most), [bug.name for bug in wanted], chunksize=1):
            missed += "NOT FOUND" in told
            say(told, flush=True)
    say(f"planted: {len(wanted)}\nnot found: {missed}")
    return 1 if missed else 0


def find(seed: str, most: int, name: str) -> str:
    """Play nights with the bug until it is found, and say by what."""
    bug = next(each for each in BUGS if each.name == name)
    bug.plant()
    with tempfile.TemporaryDirectory() as folder:
        player = Player(Path(folder))
        for incidents in nights(most, bug.per_night):
            found, _ = player.play(f"{seed}/{name}", incidents)
            for count, incident, what in found.wrong:
                if count == bug.count and bug.words in what:
                    return f"{name}: {count}, after {incidents[-1]} incidents: {incident}: {what}"
    return f"{name}: NOT FOUND in {most} incidents"


def tell_night(seed: str, incident: int, owner: list[str]) -> int:
    """Play the night of one incident again, and tell its story; of one owner's credentials, if one is named."""
    incidents = next(each for each in nights(incident + 1000) if incident in each)
    with tempfile.TemporaryDirectory() as folder:
        player = Player(Path(folder))
        found, night = player.play(seed, incidents)
        names = {n for n, each in night.world.credentials().items() if each["owner"] in owner}
        for at, who, what, about, fault in night.world.trace:
            if any(name in about for name in (*names, *owner)):
                say(f"{at - 1.7e9:12.3f} {who:14} {what:22} {about:60} {fault}")
        for case in night.estate.cases:
            for record in night.deployment.record(case.id).runs if owner else ():
                if record.run.ref.owner in owner:
                    tell_run(night.deployment, record.run.id)
        player.database.close()
    say(*sorted(found.wrong), sep="\n")
    return 1 if found.wrong else 0


def tell_run(deployment, run: str) -> None:
    """Print the evidence of a run."""
    for chain in sorted({row["chain"] for row in deployment.rows("evidence") if row["chain"].startswith(f"{run}.")}):
        for each in deployment.evidence(chain):
            say(
                f"{each['at'] - 1.7e9:12.3f} {chain:14} {each.get('step', '')}@{each.get('target', '')}"
                f" {each.get('from')} -> {each.get('state')}: {each.get('reason')}"
            )
