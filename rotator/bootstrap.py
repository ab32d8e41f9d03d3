"""Put the parts together: the only module that knows all of them."""

from __future__ import annotations

import functools
import importlib
import os
import socket
import threading
from collections.abc import Collection
from difflib import get_close_matches
from importlib.util import find_spec
from types import ModuleType

import structlog

from rotator import clock, secret_reference
from rotator.credential import CredentialRef
from rotator.engine import Engine
from rotator.errors import BadInput, Unavailable
from rotator.flow.budget import Limit, strictest
from rotator.flow.playbook import Playbook
from rotator.flow.playbook_check import capabilities, check
from rotator.flow.playbook_words import meant
from rotator.flow.scope import ConsumerAddress, Custodies
from rotator.ledger import accounts, timekeeping
from rotator.ledger.database import Database
from rotator.ledger.due import DueWork
from rotator.ledger.enrolment import Enrolment
from rotator.ledger.gates import Gates
from rotator.ledger.hands import Hands
from rotator.ledger.reading import Reading
from rotator.ledger.stops import Stops
from rotator.ledger.working import WorkingLedger
from rotator.playbook_file import load_all
from rotator.ports import Connection, Consumer, Place, Provider, Store, WriteOnly
from rotator.seal import Seal
from rotator.settings.configuration import Settings
from rotator.settings.connections import ConnectionSettings

log = structlog.get_logger()


class Outside:
    """Every provider, store and consumer, made at first use and kept. Implements `world.World`."""

    def __init__(self, settings: Settings, playbooks: dict[str, Playbook]) -> None:
        self._settings, self._playbooks = settings, playbooks
        self._making = threading.RLock()
        self._providers: dict[tuple[str, str], Provider] = {}
        self._stores: dict[tuple[str, str], Store] = {}
        self._consumers: dict[ConsumerAddress | tuple[ConsumerAddress, str], Consumer] = {}

    def provider(self, ref: CredentialRef) -> Provider:
        """Return the provider of a credential."""
        return self.provider_of(ref.provider, ref.connection)

    def provider_of(self, kind: str, connection: str) -> Provider:
        """Return the provider of a kind on a connection. Raises BadInput when the two do not fit."""
        key = (kind, connection)
        if key not in self._providers:
            with self._making:
                if key not in self._providers:
                    self._providers[key] = self._connect(kind, connection)
        return self._providers[key]

    def _connect(self, kind: str, connection: str) -> Provider:
        playbook = self._playbooks[kind]
        module = _module("providers", playbook.provider, "provider")
        provider: Provider = module.connect(self._settings.connection(connection), kind, playbook.http)
        for problem in check(playbook, capabilities(provider)):
            raise BadInput(str(problem), f"playbook {kind}", f"{playbook.provider} on {connection} cannot do that")
        return provider

    def store(self, place: Place) -> Store:
        """Return the store of a place. Raises BadInput when there is none of that name, or not on that connection."""
        key = (place.store, place.connection)
        with self._making:
            if key not in self._stores:
                module = _module("stores", place.store, "store")
                connection = self._settings.connection(place.connection)
                if connection.family != module.FAMILY:
                    raise BadInput(
                        f"{place.store} needs a connection of the family {module.FAMILY}",
                        f"deliver to {place}",
                        f"{place.connection} is one of {connection.family}",
                    )
                self._stores[key] = module.connect(connection)
            return self._stores[key]

    def check_places(self, places: Collection[Place], where: str) -> None:
        """Raise BadInput where one of them cannot be used, or none of them can be read back."""
        stores = [self.store(place) for place in places]
        if stores and all(isinstance(each, WriteOnly) for each in stores):
            raise BadInput(
                f"nobody can read back what is delivered to {', '.join(map(str, places))}",
                where,
                "name a place beside it that can be read, such as vault_kv: the new secret is staged there",
            )

    def consumer(self, address: ConsumerAddress) -> Consumer:
        """Return the way to one consumer; what a reference names is read at each call, and kept nowhere.

        Raises Unavailable while a reference names nothing that can be used.
        """
        if isinstance(address.address, str) and secret_reference.is_one(address.address):
            return self._referred(address, address.address)
        with self._making:
            if address not in self._consumers:
                self._consumers[address] = self._consumer(address)
            return self._consumers[address]

    def _consumer(self, address: ConsumerAddress) -> Consumer:
        module = _module("consumers", address.kind, "consumer")
        family = getattr(module, "FAMILY", None)
        if family is None or isinstance(address.address, str):
            given = address.address if isinstance(address.address, str) else list(address.address)
            consumer: Consumer = module.connect(given)
            return consumer
        name, *words = address.address
        connection = self._settings.connection(name) if name else None
        if connection is not None and connection.family != family:
            raise BadInput(
                f"{address.kind} needs a connection of the family {family}",
                f"consumer {address.name}",
                f"{name} is one of {connection.family}",
            )
        through: Consumer = module.connect(connection, words)
        return through

    def _referred(self, address: ConsumerAddress, reference: str) -> Consumer:
        try:
            url = secret_reference.read(reference, self._settings.folder).reveal()
            with self._making:
                if (address, url) not in self._consumers:
                    module = _module("consumers", address.kind, "consumer")
                    self._consumers[address, url] = module.connect(url, address.name)
                return self._consumers[address, url]
        except (BadInput, ValueError):
            # Its owner may mend it at any time, and then the call is made.
            raise Unavailable("consumer_address_unreadable", address.name) from None

    def classes(self, kind: str) -> list[type]:
        """Return the classes by which a kind is carried out, whatever is configured."""
        module = _module("providers", self._playbooks[kind].provider, "provider")
        return [each for each in vars(module).values() if isinstance(each, type) and each.__module__ == module.__name__]

    def family(self, kind: str) -> str:
        """Return which connections serve a kind."""
        provider = self._playbooks[kind].provider
        return str(_module("providers", provider, "provider").FAMILY)


def _module(folder: str, name: str, what: str) -> ModuleType:
    try:
        return importlib.import_module(f"rotator.{folder}.{name}")
    except ModuleNotFoundError as error:
        if error.name == f"rotator.{folder}.{name}":
            raise BadInput(f"there is no {what} called {name}", f"rotator/{folder}/", "check its spelling") from None
        raise BadInput(
            f"the {what} {name} needs the package {error.name}",
            f"rotator/{folder}/{name}.py",
            "pip install 'rotator[all]'",
        ) from None


class Rotator:
    """All parts, made at first use."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @functools.cached_property
    def playbooks(self) -> dict[str, Playbook]:
        """Every playbook by name."""
        return load_all(self.settings.playbooks)

    @functools.cached_property
    def outside(self) -> Outside:
        """Providers, stores and consumers."""
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
            log.warning("wall_clock_was_set", ahead_s=round(ahead, 1), until="what is under way has come to rest")
        return database

    @functools.cached_property
    def connections(self) -> list[Connection]:
        """Every configured connection, each key of it known. Raises BadInput for the first that is not."""
        found = [self.settings.connection(each.name) for each in self.settings.connections]
        for connection in found:
            where = f"connection {connection.name}"
            known: frozenset[str] | None = None
            if connection.family.isidentifier() and find_spec(f"rotator.families.{connection.family}") is not None:
                known = getattr(_module("families", connection.family, "family"), "SETTINGS", None)
            if known is None:
                raise BadInput(f"there is no family called {connection.family}", where, "see docs/configuration.md")
            for key in sorted(set(connection.settings) - known):
                close = get_close_matches(key, [*known, *ConnectionSettings.model_fields], n=1)
                mend = f"did you mean `{close[0]}`?" if close else f"the family knows {', '.join(sorted(known))}"
                raise BadInput(f"unknown key `{key}`", where, mend)
        return found

    @functools.cached_property
    def custodies(self) -> Custodies:
        """What is known of credentials. Raises BadInput for an entry of a kind or connection that is not there."""
        known = {"provider": list(self.playbooks), "connection": [each.name for each in self.settings.connections]}
        for entry in self.settings.credentials:
            for name, words in known.items():
                word = dict(entry.match).get(name)
                if word is not None and word not in words:
                    raise BadInput(
                        f"no {name} is called {word}: the entry would fit nothing",
                        "credentials: match",
                        meant(word, words),
                    )
        return Custodies(each.custody() for each in self.settings.credentials)

    def account_of(self, connection: str) -> str:
        """Name the account of a connection: those of one family and account share its budget."""
        given = self.settings.connection(connection)
        return accounts.named(given.family, given.account, given.name)

    @functools.cached_property
    def limits(self) -> dict[str, Limit]:
        """The budget of each account that has one: its connections' own, or what its kinds' issuers publish.

        Raises BadInput when two of its connections disagree.
        """
        found: dict[str, Limit] = {}
        for each in self.settings.connections:
            if each.budget is not None:
                limit = Limit(each.budget.calls_per_second, each.budget.burst)
                if found.setdefault(self.account_of(each.name), limit) != limit:
                    raise BadInput(
                        f"another connection of account {each.account} has another budget",
                        f"connection {each.name}",
                        "they share one: write it the same, or once",
                    )
        for account, published in self.published.items():
            if account not in found and (least := strictest(published.values())) is not None:
                found[account] = least
        return found

    @functools.cached_property
    def published(self) -> dict[str, dict[str, Limit]]:
        """What playbooks name as their issuers' limits, by kind, for each account on which such kinds are served."""
        found: dict[str, dict[str, Limit]] = {}
        for each in self.settings.connections:
            for kind in each.kinds or ():
                playbook = self.playbooks.get(kind)
                if playbook is not None and playbook.http is not None and (said := playbook.http.budget) is not None:
                    limit = Limit(said.calls_per_second, said.burst)
                    found.setdefault(self.account_of(each.name), {})[kind] = limit
        return found

    @functools.cached_property
    def seal(self) -> Seal:
        """The deployment's seal."""
        return self.settings.seal()

    @functools.cached_property
    def enrolment(self) -> Enrolment:
        """Declaring and approving."""
        return Enrolment(self.database, self.seal, account_of=self.account_of)

    @functools.cached_property
    def hands(self) -> Hands:
        """What people do to a run."""
        return Hands(self.database)

    @functools.cached_property
    def stops(self) -> Stops:
        """Stopping, and letting go on."""
        return Stops(self.database)

    @functools.cached_property
    def gates(self) -> Gates:
        """What people say of an incident."""
        return Gates(self.database)

    @functools.cached_property
    def reading(self) -> Reading:
        """What reports and boards read."""
        return Reading(self.database)

    @functools.cached_property
    def due(self) -> DueWork:
        """What the dispatcher reads and writes."""
        return DueWork(self.database, limits=self.limits)

    @functools.cached_property
    def engine(self) -> Engine:
        """The engine of this process."""
        worker = f"{socket.gethostname()}:{os.getpid()}"
        return Engine(WorkingLedger(self.database, self.seal), self.outside, worker)
