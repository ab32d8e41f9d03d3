"""Recovery: the way around an exposed credential that the rotator itself stands on, tried before anything is planned.

Another connection of the same family leads to the same account with a credential of its own. Only questions are asked
here. A recovery that was configured and does not work is told as such, with what would mend it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rotator.credential import CredentialRef, Leaked
from rotator.errors import BadInput, RotatorError
from rotator.families.file import FAMILY as FILE
from rotator.families.file import folder_of
from rotator.flow.scope import Custody
from rotator.ports.abilities import SelfAware
from rotator.ports.connection import Connection
from rotator.ports.provider import Provider, State
from rotator.ports.store import Place
from rotator.settings.configuration import Settings
from rotator.settings.connections import ConnectionSettings

T = TypeVar("T")
Ask = Callable[[Callable[[], T]], T]


class Unusable(Exception):  # noqa: N818 - what the recovery is
    """There is no way around: why, and what would make one."""

    def __init__(self, why: str, mend: str) -> None:
        super().__init__(why)
        self.why, self.mend = why, mend


@dataclass(frozen=True, slots=True)
class Recovery:
    """What is configured for one connection: the way around it, and how its own credential is named.

    `kept` is env, file or vault, "" for the vendor's default chain. `file` is where a file: reference leads.
    """

    through: str | None
    kept: str = ""
    file: Path | None = None


def of(settings: Settings) -> dict[str, Recovery]:
    """Return the recovery of each connection."""
    return {each.name: _of(each, settings.folder) for each in settings.connections}


def _of(connection: ConnectionSettings, folder: Path) -> Recovery:
    kept, _, rest = (connection.credential or "").partition(":")
    file = None
    if kept == "file":
        with contextlib.suppress(RuntimeError):  # a home that is nobody's: whoever reads it says so
            file = folder / Path(rest).expanduser()
    return Recovery(connection.recovery, kept, file)


def leads_to_same(connection: Connection, way: Connection) -> None:
    """Raise Unusable when what is configured says that the two lead to different accounts."""
    for what, one, other in (
        ("account", connection.account, way.account),
        ("endpoint_url", connection.endpoint_url, way.endpoint_url),
    ):
        if one and other and one != other:
            raise Unusable(
                f"its recovery {way.name} has another {what}", f"let {way.name} lead where {connection.name} does"
            )


@dataclass(frozen=True, slots=True)
class Ways:
    """How to find a way around: what is configured, and the provider of a kind on a connection."""

    connections: Mapping[str, Connection]
    recoveries: Mapping[str, Recovery]
    provider: Callable[[str, str], Provider]

    def around(self, kind: str, leaked: Leaked, ref: CredentialRef, cuts: Sequence[str]) -> CredentialRef:
        """Return the credential as its recovery names it. Raises Unusable when that cannot act upon it."""
        ways = {self.recoveries.get(each, Recovery(None)).through for each in cuts}
        way = next(iter(ways)) if len(ways) == 1 else None
        if way is None:
            on = ", ".join(cuts)
            raise Unusable(
                f"no `recovery` leads around {on}",
                f"give {on} another credential from a separate principal, or set `recovery`, then declare again",
            )
        if way in cuts:
            raise Unusable(f"its recovery {way} uses the very same", f"give {way} a credential of its own")
        served = self.connections[way].kinds
        if served is not None and kind not in served:
            raise Unusable(f"its recovery {way} does not serve {kind}", f"add {kind} to the kinds of {way}")
        for each in sorted({*cuts, ref.connection}):
            leads_to_same(self.connections[each], self.connections[way])
        return self._tried(kind, leaked, ref, way)

    def _tried(self, kind: str, leaked: Leaked, ref: CredentialRef, way: str) -> CredentialRef:
        mend = f"let {way} read and change it, then declare again: `rotator doctor` tries it"
        try:
            provider = self.provider(kind, way)
            found = provider.identify(leaked)
            state = provider.inspect(found).state
            own = provider.own() if isinstance(provider, SelfAware) else None
        except RotatorError as error:
            raise Unusable(f"its recovery {way} cannot be used: {error}", mend) from None
        if (found.owner, found.id) != (ref.owner, ref.id):
            raise Unusable(f"its recovery {way} takes it for {found}", mend)
        if own == ref.id:
            raise Unusable(f"its recovery {way} uses the very same", f"give {way} a credential of its own")
        if state is State.ABSENT:
            raise Unusable(f"its recovery {way} does not know it", mend)
        return found

    def rehearse(self, connection: str, kinds: Iterable[str]) -> str | None:
        """Let the recovery name what the rotator uses on the connection now; return its id.

        None where the connection cannot tell what that is: then only that both can be read, and differ, is known.
        Raises Unusable when the recovery would not work.
        """
        way = self.recoveries[connection].through or ""
        leads_to_same(self.connections[connection], self.connections[way])
        try:
            own, other = (self.connections[each].credential() for each in (connection, way))
            if own is not None and other is not None and own.reveal() == other.reveal():
                raise Unusable(f"its recovery {way} uses the very same", f"give {way} a credential of its own")
            for kind in kinds:
                found = self.own_ids(kind, [connection]).get(connection)
                if found is not None:
                    leaked = Leaked(id=found)
                    ref = self.provider(kind, connection).identify(leaked)
                    return self.around(kind, leaked, ref, (connection,)).id
        except RotatorError as error:
            raise Unusable(f"its recovery {way} cannot be tried: {error}", "mend that, then look again") from None
        return None

    def takes_effect(self, custody: Custody, cuts: Iterable[str]) -> None:
        """Raise Unusable where a replacement would not come to be what the rotator uses, as far as can be told."""
        if not custody.deliver:
            raise Unusable(
                "no [[credentials]] entry says where its replacement would go",
                "add one with `deliver`, to where the connection's `credential` is read",
            )
        for each in cuts:
            own = self.recoveries[each]
            if own.kept not in {"file", "vault"}:
                raise Unusable(
                    f"{each} reads its own credential from {own.kept or 'the default chain'}, which a running program "
                    "cannot see change",
                    f"set `credential` of {each} to a file: or vault: reference",
                )
            if own.kept == "file" and not self._writes(custody, own.file):
                raise Unusable(
                    f"{each} reads its own credential from a file, and nobody writes the replacement there",
                    "let its [[credentials]] entry deliver to that file by the store `file`, or add a `command` to "
                    "its consumers that writes it",
                )

    def _writes(self, custody: Custody, file: Path | None) -> bool:
        """Tell whether a delivery writes that very file, or a command may."""
        written = [self._written(each) for each in custody.deliver if each.store == FILE]
        delivered = file is not None and file.resolve() in written
        return delivered or any(each.kind == "command" for each in custody.consumers)

    def _written(self, place: Place) -> Path | None:
        try:
            return (folder_of(self.connections[place.connection]) / place.name).resolve()
        except BadInput:  # whoever delivers there says so
            return None

    def own_ids(self, kind: str, connections: Iterable[str]) -> dict[str, str]:
        """Return the id of what the rotator uses on each of the connections that can tell."""
        found = {}
        for each in connections:
            try:
                provider = self.provider(kind, each)
                own = provider.own() if isinstance(provider, SelfAware) else None
            except RotatorError:
                continue
            if own is not None:
                found[each] = own
        return found
