"""Keys of the simulated cloud, the same for the same seed in every process: most matter little, a few matter much."""

from __future__ import annotations

import random
import string
from dataclasses import dataclass

RISK = {"low": 1.0, "medium": 3.0, "high": 9.0, "critical": 27.0}
SHARES = (0.70, 0.20, 0.08, 0.02)
"""How common each criticality is, in the order of RISK."""
LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Planted:
    """One live credential. `reads` are the accounts that it may read."""

    account: str
    id: str
    secret: str
    criticality: str
    reads: tuple[str, ...]

    @property
    def owner(self) -> str:
        """Return whose it is: each has an owner of its own."""
        return f"owner-{self.id}"

    @property
    def weight(self) -> float:
        """Return what its exposure is worth by the second: risk times reach."""
        return RISK[self.criticality] * (1 + len(self.reads))


def accounts(count: int) -> list[str]:
    """Return the accounts' names."""
    return [f"account-{number}" for number in range(count)]


def plant(credentials: int, over: int, seed: int = 1) -> list[Planted]:
    """Return that many credentials, spread by chance over so many accounts; the reach of most is their own account."""
    chance, names = random.Random(seed), accounts(over)
    planted = []
    for number in range(credentials):
        account = chance.choice(names)
        reach = min(int(chance.paretovariate(1.2)), over)
        others = chance.sample([each for each in names if each != account], reach - 1)
        planted.append(
            Planted(
                account=account,
                id=f"key-{seed}-{number:06}",
                secret="".join(chance.choices(LETTERS, k=32)),
                criticality=chance.choices(tuple(RISK), SHARES)[0],
                reads=tuple(sorted([account, *others])),
            )
        )
    return planted
