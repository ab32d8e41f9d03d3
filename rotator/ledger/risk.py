"""The risk that a named person takes: whose reading of a run's new secret it waits for no more, and nobody's else.

That is a stolen credential that lives, a foothold, or a vendor that is paused. Whoever comes to read it later, it waits
for again: nobody has answered for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from rotator.flow.run import Run
from rotator.ledger import leak_safe, pause_guard, tables
from rotator.ledger.which import Which


@dataclass(frozen=True, slots=True)
class Accepted:
    """The runs of living stolen credentials that may read a new secret, and the footholds that it would reach.

    `vendors` are those for which it is made although they are paused.
    """

    runs: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    vendors: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.runs or self.hosts or self.vendors)

    @property
    def names(self) -> tuple[str, ...]:
        """Return each as a report calls it."""
        vendors = (f"the paused vendor {name}" for name in self.vendors)
        return *self.runs, *(f"the foothold {host}" for host in self.hosts), *vendors

    @property
    def evidence(self) -> dict[str, Sequence[str]]:
        """Return what a record of it says."""
        hosts = {"accepts_footholds": self.hosts} if self.hosts else {}
        vendors = {"accepts_paused": self.vendors} if self.vendors else {}
        return {"accepts_risk_of": self.runs, **hosts, **vendors} if self else {}


def accept(connection: Connection, run: Run, why: str) -> Accepted:
    """Have a run wait no more for those who may read its new secret now; return them. `why` is who: reason."""
    key = {"run_id": run.id}
    found = Accepted(
        tuple(connection.execute(leak_safe.FIND_READERS, key).scalars()),
        tuple(dict.fromkeys(connection.execute(leak_safe.FIND_REACHED, key).scalars())),
    )
    added = [
        {"run": run.id, "what": what, "name": name}
        for what, names in ((leak_safe.A_RUN, found.runs), (leak_safe.A_HOST, found.hosts))
        for name in names
    ]
    if added:
        _keep(connection, run, added, why)
    return found


def accept_paused(connection: Connection, run: Run, vendor: str, why: str) -> Accepted:
    """Have a run make something new for a vendor as long as this pause of it lasts. `why` is who: reason."""
    query = select(tables.pause.c.number).where(tables.pause.c.vendor == vendor, pause_guard.IS_OPEN)
    number = connection.execute(query).scalar()
    if number is None:
        return Accepted()
    _keep(connection, run, [{"run": run.id, "what": pause_guard.A_PAUSE, "name": f"{vendor} {number}"}], why)
    return Accepted(vendors=(vendor,))


def _keep(connection: Connection, run: Run, added: Sequence[dict[str, str]], why: str) -> None:
    connection.execute(insert(tables.accepted), added)
    told = "; ".join(filter(None, (run.risk_accepted, why)))
    connection.execute(update(tables.run).where(tables.run.c.id == run.id).values(risk_accepted=told))


def accepted(connection: Connection, which: Which) -> dict[str, Accepted]:
    """Return whose reading was accepted, for each of these runs where anybody's was."""
    found: dict[str, dict[str, list[str]]] = {}
    for row in sorted(which.beside(connection, tables.accepted), key=lambda row: row["name"]):
        found.setdefault(row["run"], {}).setdefault(row["what"], []).append(row["name"])
    return {
        each: Accepted(
            tuple(of.get(leak_safe.A_RUN, ())),
            tuple(of.get(leak_safe.A_HOST, ())),
            tuple(dict.fromkeys(name.rpartition(" ")[0] for name in of.get(pause_guard.A_PAUSE, ()))),
        )
        for each, of in found.items()
    }
