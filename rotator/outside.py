"""The outside: the providers, stores and consumers that configuration and playbooks name, each found by its module."""

from __future__ import annotations

import importlib
import pkgutil
import threading
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from types import ModuleType

from rotator import secret_reference
from rotator.credential import CredentialRef
from rotator.errors import BadInput, Unavailable
from rotator.flow.playbook import Playbook
from rotator.flow.playbook_check import capabilities, check
from rotator.flow.scope import ConsumerAddress
from rotator.ports.consumer import Consumer
from rotator.ports.provider import Provider
from rotator.ports.store import Place, Store, WriteOnly
from rotator.settings.configuration import Settings


class Outside:
    """Every provider, store and consumer, made at first use and kept. Implements `world.World`."""

    def __init__(self, settings: Settings, playbooks: Mapping[str, Playbook]) -> None:
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
        module = module_of("providers", playbook.provider, "provider")
        provider: Provider = module.connect(self._settings.connection(connection), kind, playbook.http)
        for problem in check(playbook, capabilities(provider)):
            raise BadInput(str(problem), f"playbook {kind}", f"{playbook.provider} on {connection} cannot do that")
        return provider

    def store(self, place: Place) -> Store:
        """Return the store of a place. Raises BadInput when there is none of that name, or not on that connection."""
        key = (place.store, place.connection)
        with self._making:
            if key not in self._stores:
                module = module_of("stores", place.store, "store")
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
        module = module_of("consumers", address.kind, "consumer")
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
                    module = module_of("consumers", address.kind, "consumer")
                    self._consumers[address, url] = module.connect(url, address.name)
                return self._consumers[address, url]
        except (BadInput, ValueError):
            # Its owner may mend it at any time, and then the call is made.
            raise Unavailable("consumer_address_unreadable", address.name) from None

    def classes(self, kind: str) -> list[type]:
        """Return the classes by which a kind is carried out, whatever is configured."""
        module = module_of("providers", self._playbooks[kind].provider, "provider")
        made = (each for each in vars(module).values() if isinstance(each, type))
        # A kind may be its family's class: that says what it is capable of, as no protocol does.
        return [each for each in made if each.__module__ == module.__name__ or hasattr(each, "capability")]

    def is_grant(self, kind: str) -> bool:
        """Tell whether a kind is trust that we gave, which has no secret; no for what is no kind."""
        return kind in self._playbooks and any(getattr(each, "is_grant", False) for each in self.classes(kind))

    def family(self, kind: str) -> str:
        """Return which connections serve a kind."""
        provider = self._playbooks[kind].provider
        return str(module_of("providers", provider, "provider").FAMILY)


def spelt(folder: str, name: str) -> str:
    """Say which provider, store, consumer or family a mistyped name stands for; "" where none is near."""
    package = importlib.import_module(f"rotator.{folder}")
    near = get_close_matches(name, [each.name for each in pkgutil.iter_modules(package.__path__)], n=1)
    return f"did you mean `{near[0]}`?" if near and near[0] != name else ""


def module_of(folder: str, name: str, what: str) -> ModuleType:
    """Return the module of a provider, store, consumer or family. Raises BadInput for one that cannot be had."""
    try:
        return importlib.import_module(f"rotator.{folder}.{name}")
    except ModuleNotFoundError as error:
        if error.name == f"rotator.{folder}.{name}":
            mend = spelt(folder, name) or "check its spelling"
            raise BadInput(f"there is no {what} called {name}", f"rotator/{folder}/", mend) from None
        raise BadInput(
            f"the {what} {name} needs the package {error.name}",
            f"rotator/{folder}/{name}.py",
            "pip install 'rotator[all]'",
        ) from None
