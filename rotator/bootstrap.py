"""Put the parts together: the only module that knows all of them.

A part that not every command needs is imported where it is made: who asks how things stand waits for nothing else.
"""

from __future__ import annotations

import functools
import logging
import os
import socket
from typing import TYPE_CHECKING

from rotator import clock, configured
from rotator.flow.budget import Limit
from rotator.flow.inventory import Entry
from rotator.flow.scope import Custodies
from rotator.ledger import timekeeping
from rotator.ledger.database import Database
from rotator.ports.connection import Connection
from rotator.seal import Seal
from rotator.settings.configuration import Settings
from rotator.settings.file import ruled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from rotator.anchoring import Anchoring
    from rotator.credential import CredentialRef
    from rotator.engine import Engine
    from rotator.flow.playbook import Playbook
    from rotator.forwarding import Forwarding
    from rotator.ledger.advisories import Advisories
    from rotator.ledger.approvals import Approvals
    from rotator.ledger.assessments import Assessments
    from rotator.ledger.calls import Calls
    from rotator.ledger.checkpoints import Checkpoints
    from rotator.ledger.closing import Closing
    from rotator.ledger.dismissing import Dismissing
    from rotator.ledger.due import DueWork
    from rotator.ledger.enrolment import Enrolment
    from rotator.ledger.expiring import Expiring
    from rotator.ledger.feed import Feed
    from rotator.ledger.gates import Gates
    from rotator.ledger.hands import Hands
    from rotator.ledger.inventory import Inventory
    from rotator.ledger.manifests import Manifests
    from rotator.ledger.pauses import Pauses
    from rotator.ledger.reading import Reading
    from rotator.ledger.sessions import Sessions
    from rotator.ledger.stopping import Stops
    from rotator.ledger.tokens import Tokens
    from rotator.ledger.triggers import Triggers
    from rotator.ledger.vendors import Vendors
    from rotator.ledger.witnesses import Witnesses
    from rotator.notifying import Notifying
    from rotator.outside import Outside
    from rotator.witnessing import Witnessing

log = logging.getLogger("rotator")

_OF_NO_LEDGER = ("playbooks", "outside", "connections", "configured", "limits", "published", "seal")
"""Parts that the ledger has no part in, and that cost something to make."""


class Rotator:
    """All parts, made at first use."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def on(self, ledger: Database) -> Rotator:
        """Return the same parts on another use of the ledger, or on the same one; inventory and rule as they are now.

        Raises BadInput where the rule cannot be read now.
        """
        found = Rotator(ruled(self.settings))
        found.__dict__ |= {name: self.__dict__[name] for name in _OF_NO_LEDGER if name in self.__dict__}
        found.__dict__["database"] = ledger
        return found

    @functools.cached_property
    def playbooks(self) -> Mapping[str, Playbook]:
        """Every playbook by name."""
        from rotator.playbook_file import available  # noqa: PLC0415

        return available(self.settings.playbooks)

    @functools.cached_property
    def outside(self) -> Outside:
        """Providers, stores and consumers."""
        from rotator.outside import Outside  # noqa: PLC0415

        return Outside(self.settings, self.playbooks)

    @functools.cached_property
    def database(self) -> Database:
        """The ledger's database, with its tables up to date."""
        if self.settings.embedded:
            self.seal  # noqa: B018 - the key file comes before the ledger that is sealed with it
        database = Database(self.settings.database_url)
        database.migrate()
        timekeeping.keep(database)
        if abs(ahead := clock.now.wall_is_ahead_s) > timekeeping.JUMP_S:
            log.warning("wall_clock_was_set: %.1f s ahead, until what is under way has come to rest", ahead)
        return database

    @functools.cached_property
    def connections(self) -> list[Connection]:
        """Every configured connection, each key of it known."""
        return configured.connections(self.settings, self.playbooks)

    @functools.cached_property
    def configured(self) -> list[Entry]:
        """What the configuration says of credentials."""
        return configured.entries(self.settings, self.playbooks)

    @functools.cached_property
    def inventory(self) -> Inventory:
        """What people imported, and what issuers listed."""
        from rotator.ledger.inventory import Inventory  # noqa: PLC0415

        return Inventory(self.database)

    @functools.cached_property
    def entries(self) -> list[Entry]:
        """All that people said of credentials: the configuration, which is believed first, and what was imported.

        What the registry says that a vendor holds comes last, with the grants that trust an account of its own. What is
        called by a name and a number is called as its issuer does.
        """
        from rotator.flow import registry  # noqa: PLC0415
        from rotator.flow.listed_as import as_listed, speaks_of  # noqa: PLC0415
        from rotator.flow.numbered import KINDS  # noqa: PLC0415
        from rotator.ledger.answered import answered  # noqa: PLC0415
        from rotator.settings.credentials import custody_of  # noqa: PLC0415

        imported = [Entry(custody_of(each.match, each.said), each.file) for each in self.inventory.stated()]
        vendors = self.vendors.every(software=False)
        said = [*self.configured, *imported]
        known = self.inventory.known() if any(each.accounts for each in vendors) else ()
        found = [*said, *registry.entries(vendors, said, known, self.outside.is_grant)]
        if not any(map(speaks_of, found)):
            return found
        return as_listed(found, known or self.inventory.known(), answered(self.database, KINDS))

    @functools.cached_property
    def custodies(self) -> Custodies:
        """What is known of credentials, found by what it matches: built once, for as long as the process lives."""
        return Custodies(each.custody for each in self.entries)

    def look_again(self) -> None:
        """Forget what was read of the inventory: people change it while a process lives."""
        for name in ("entries", "custodies"):
            self.__dict__.pop(name, None)

    def account_of(self, connection: str) -> str:
        """Name the account of a connection: those of one family and account share its budget."""
        from rotator.ledger import accounts  # noqa: PLC0415

        given = self.settings.connection(connection)
        return accounts.named(given.family, given.account, given.name)

    def issuers(self, kind: str) -> tuple[str, ...]:
        """Name the connections that serve a kind; none for what is no kind."""
        if kind not in self.playbooks:
            return ()
        family = self.outside.family(kind)
        serving = (each for each in self.connections if each.kinds is None or kind in each.kinds)
        return tuple(each.name for each in serving if each.family == family)

    @functools.cached_property
    def limits(self) -> dict[str, Limit]:
        """The budget of each account that has one: its connections' own, or what its kinds' issuers publish."""
        return configured.limits(self.settings, self.published, self.account_of)

    @functools.cached_property
    def published(self) -> dict[str, dict[str, Limit]]:
        """What playbooks name as their issuers' limits, by kind, for each account on which such kinds are served."""
        return configured.published(self.settings, self.playbooks, self.account_of)

    @functools.cached_property
    def seal(self) -> Seal:
        """The deployment's seal."""
        return self.settings.seal()

    @functools.cached_property
    def enrolment(self) -> Enrolment:
        """Declaring and approving."""
        from rotator.ledger.enrolment import Enrolment  # noqa: PLC0415

        return Enrolment(
            self.database,
            self.seal,
            account_of=self.account_of,
            basis=self.basis,
            consent=lambda *asked: self.approvals.consent(*asked),  # noqa: PLW0108 - it stands on this enrolment
        )

    @functools.cached_property
    def approvals(self) -> Approvals:
        """Who may say yes to a plan, and what was said."""
        from rotator.ledger.approvals import Approvals  # noqa: PLC0415

        return Approvals(self.database, self.enrolment, self.settings.policy)

    def basis(self, credentials: Mapping[CredentialRef, str], used: Iterable[str]) -> dict[str, str]:
        """Return what a plan for these credentials, each with its kind, stands on now."""
        from rotator.flow.basis import basis  # noqa: PLC0415

        return basis(credentials, used, self.playbooks, self.custodies, self.connections)

    @functools.cached_property
    def hands(self) -> Hands:
        """What people do to a run."""
        from rotator.ledger.hands import Hands  # noqa: PLC0415

        return Hands(self.database)

    @functools.cached_property
    def dismissing(self) -> Dismissing:
        """What people say is no leak of ours to answer."""
        from rotator.ledger.dismissing import Dismissing  # noqa: PLC0415

        return Dismissing(self.database, basis=self.basis, policy=self.approvals.policy)

    @functools.cached_property
    def closing(self) -> Closing:
        """What people say is over."""
        from rotator.ledger.closing import Closing  # noqa: PLC0415
        from rotator.report.closing import left  # noqa: PLC0415

        return Closing(self.database, lambda incident: left(self.reading.incident(incident)), self.settings.policy)

    @functools.cached_property
    def stops(self) -> Stops:
        """Stopping, and letting go on."""
        from rotator.ledger.stopping import Stops  # noqa: PLC0415

        return Stops(self.database)

    @functools.cached_property
    def gates(self) -> Gates:
        """What people say of an incident."""
        from rotator.ledger.gates import Gates  # noqa: PLC0415

        return Gates(self.database)

    @functools.cached_property
    def tokens(self) -> Tokens:
        """Who may call the API."""
        from rotator.ledger.tokens import Tokens  # noqa: PLC0415

        return Tokens(self.database, self.settings.policy)

    @functools.cached_property
    def sessions(self) -> Sessions:
        """Who is signed in with a browser."""
        from rotator.ledger.sessions import Sessions  # noqa: PLC0415

        return Sessions(self.database, self.settings.sign_in.idle, self.settings.sign_in.longest)

    @functools.cached_property
    def triggers(self) -> Triggers:
        """Alarms that came over HTTP."""
        from rotator.ledger.triggers import Triggers  # noqa: PLC0415

        return Triggers(self.database, self.seal)

    @functools.cached_property
    def calls(self) -> Calls:
        """What is done over HTTP."""
        from rotator.ledger.calls import Calls  # noqa: PLC0415

        return Calls(self.database)

    @functools.cached_property
    def feed(self) -> Feed:
        """The evidence as it is committed."""
        from rotator.ledger.feed import Feed  # noqa: PLC0415

        return Feed(self.database)

    @functools.cached_property
    def reading(self) -> Reading:
        """What reports and boards read."""
        from rotator.ledger.reading import Reading  # noqa: PLC0415

        return Reading(self.database, self.settings.policy)

    @functools.cached_property
    def due(self) -> DueWork:
        """What the dispatcher reads and writes."""
        from rotator.ledger.due import DueWork  # noqa: PLC0415

        return DueWork(self.database, limits=self.limits)

    def notifying(self, leads: Callable[[], bool]) -> Notifying:
        """Return what tells people while this process `leads`."""
        from rotator.notifying import Notifying  # noqa: PLC0415

        return Notifying(lambda: self.database, self.settings.notices, self.settings.folder, leads)

    def forwarding(self, leads: Callable[[], bool]) -> Forwarding:
        """Return what sends the evidence to a SIEM while this process `leads`."""
        from rotator.forwarding import Forwarding  # noqa: PLC0415

        return Forwarding(lambda: self.database, self.settings.siem, self.settings.folder, leads)

    @functools.cached_property
    def checkpoints(self) -> Checkpoints:
        """What was signed of the evidence."""
        from rotator.ledger.checkpoints import Checkpoints  # noqa: PLC0415

        return Checkpoints(self.database)

    @functools.cached_property
    def expiring(self) -> Expiring:
        """Whose evidence is due to be deleted."""
        from rotator.ledger.expiring import Expiring  # noqa: PLC0415
        from rotator.ledger.still_needed import Outside  # noqa: PLC0415

        outside = Outside(self.settings.evidence.keep, [each.name for each in self.settings.siem])
        return Expiring(self.database, self.checkpoints, outside, self.settings.policy)

    @functools.cached_property
    def manifests(self) -> Manifests:
        """What datasets held when they were recorded."""
        from rotator.ledger.manifests import Manifests  # noqa: PLC0415

        return Manifests(self.database)

    @functools.cached_property
    def vendors(self) -> Vendors:
        """The registry of vendors."""
        from rotator.ledger.vendors import Vendors  # noqa: PLC0415

        return Vendors(self.database)

    @functools.cached_property
    def advisories(self) -> Advisories:
        """Which advisories arrived by themselves, and whom they touch."""
        from rotator.ledger.advisories import Advisories  # noqa: PLC0415

        return Advisories(self.database)

    @functools.cached_property
    def assessments(self) -> Assessments:
        """What people judged of vendors for their triage."""
        from rotator.ledger.assessments import Assessments  # noqa: PLC0415

        return Assessments(self.database)

    @functools.cached_property
    def pauses(self) -> Pauses:
        """Which vendors are paused."""
        from rotator.ledger.pauses import Pauses  # noqa: PLC0415

        return Pauses(self.database)

    def anchoring(self, leads: Callable[[], bool]) -> Anchoring:
        """Return what signs the evidence while this process `leads`."""
        from rotator.anchoring import Anchoring  # noqa: PLC0415

        key, every_s = self.settings.signing_key(), self.settings.evidence.every
        return Anchoring(lambda: self.checkpoints, key, every_s, leads)

    def witnessing(self, leads: Callable[[], bool]) -> Witnessing:
        """Return what has the checkpoints witnessed outside while this process `leads`."""
        from rotator.witnessing import Witnessing, witnesses_of  # noqa: PLC0415

        return Witnessing(witnesses_of(self.settings, lambda: self.witnesses), leads)

    @functools.cached_property
    def witnesses(self) -> Witnesses:
        """How far they were witnessed outside."""
        from rotator.ledger.witnesses import Witnesses  # noqa: PLC0415

        return Witnesses(self.database)

    @functools.cached_property
    def engine(self) -> Engine:
        """The engine of this process."""
        from rotator.engine import Engine  # noqa: PLC0415
        from rotator.ledger.working import WorkingLedger  # noqa: PLC0415

        worker = f"{socket.gethostname()}:{os.getpid()}"
        return Engine(WorkingLedger(self.database, self.seal), self.outside, worker)
