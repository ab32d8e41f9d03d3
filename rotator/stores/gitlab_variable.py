"""CI/CD variables of GitLab: jobs get the document as JSON without a space, so that GitLab can mask it.

`name` is PROJECT:KEY, PROJECT:KEY@SCOPE for an environment, or groups/GROUP:KEY (a group's scopes need GitLab Premium,
and so does this). GitLab masks the document as a whole, and not the secret in it: a job that prints the secret alone
shows it. An existing variable stays protected, masked and of its type as it was; a new one is protected and masked. A
hidden one cannot be read, and is refused.

GitLab keeps no history and has no compare-and-set. What waits, what was there before, and the claim that keeps other
workers of rotator out are variables of the same key in environments that no job has (rotator/…). Another hand does not
know the claim: what it writes between our look and our write is lost. A version is a slow digest of the value, as one
keeps of passwords, since GitLab gives none.

The connection's token needs the scope `api` and the role Maintainer, of a group Owner.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from rotator import clock
from rotator.credential import Secret
from rotator.errors import Rejected, RotatorError, Unavailable, Uncertain
from rotator.families.gitlab import GitLab, is_absent, said, told
from rotator.families.gitlab_names import Variable, variable_of
from rotator.families.gitlab_permissions import of_all_variables, of_variables
from rotator.families.gitlab_values import (
    NEW,
    Found,
    attributes_of,
    document_in,
    fields_of,
    masked_form,
    version_of,
    without_spaces,
)
from rotator.families.http_wire import Reply
from rotator.families.one_method import PermittedForEach, PermittedStore
from rotator.families.own_words import quoted
from rotator.permissions import Permission
from rotator.ports.connection import Connection

FAMILY = "gitlab"

_STAGED = "staged-"
_KEPT, _CLAIM = "kept", "claim"
_TAKEN = "has already been taken"
_STALE_S = 3600.0
"""A claim that is older was left by a promotion that nobody repeats."""


def connect(connection: Connection) -> PermittedStore:
    """Return the store of one GitLab."""
    gitlab = GitLab(connection)
    return PermittedForEach(lambda: GitLabVariable(gitlab.exchange()))


class GitLabVariable:
    """Variables of one GitLab's projects and groups, for one method."""

    def __init__(self, gitlab: GitLab) -> None:
        self._gitlab = gitlab

    def current(self, name: str) -> str | None:
        place = variable_of(name)
        return version_of(place, self._found(place))

    def staged(self, name: str, token: str) -> str | None:
        place, version = variable_of(name), _STAGED + _digest(token)
        if self._found(place.beside(version)) is not None or self._kept(place).get("by") == version:
            return version
        return None

    def stage(self, name: str, document: Secret, token: str) -> str:
        place, version = variable_of(name), _STAGED + _digest(token)
        if self.staged(name, token) is None:
            model = self._found(place)
            self._create(place.beside(version), {**attributes_of(model), "value": masked_form(document)})
        return version

    def read(self, name: str, version: str) -> Secret:
        """Return the document of a version: current, waiting or kept; of one promoted since, what it became."""
        place = variable_of(name)
        now, kept = self._found(place), self._kept(place)
        if version.startswith(_STAGED):
            waiting = self._found(place.beside(version))
            if waiting is not None:
                return document_in(waiting)
            version = str(kept.get("as")) if kept.get("by") == version else ""
        if now is not None and version_of(place, now) == version:
            return document_in(now)
        if version and kept.get("of") == version:
            return document_in(kept["before"])
        raise Rejected("not_found", f"{name} has no readable version {version}")

    def promote(self, name: str, version: str, expected: str | None) -> str:
        """Write the waiting document, alone among workers, if `expected` is still what jobs get.

        Raises Unavailable("being_promoted") while another worker is at it, Uncertain once it may be done.
        """
        place = variable_of(name)
        waiting, now = self._found(place.beside(version)), self._found(place)
        if waiting is None:
            kept = self._kept(place)
            if kept.get("by") != version or now is None or kept.get("as") != version_of(place, now):
                raise Rejected("store_changed", f"{name} is at {version_of(place, now)}; {version} waits no more")
        elif now is None or now["value"] != waiting["value"]:  # else a crash came after it was written
            _expect(place, now, expected)
            with self._claimed(place, version):
                now = self._found(place)
                _expect(place, now, expected)
                became = version_of(place, waiting)
                self._keep(place, {"by": version, "as": became, "of": expected, "before": now}, now)
                self._write(place, now, {"value": waiting["value"]})
                self._is_there(place, became)
        try:
            self._remove(place.beside(version))
            self._remove(place.beside(_CLAIM), if_it_says=version)
        except RotatorError as error:
            raise Uncertain("staged_copy_remains", f"{name} is promoted; {error.reason}") from None
        return version_of(place, waiting or now) or ""

    def demote(self, name: str, version: str, previous: str | None) -> None:
        """Write again what was kept, with its attributes, or take the variable away where there was none."""
        place = variable_of(name)
        if version_of(place, self._found(place)) != version:
            return
        claimant = f"undo-of-{version}"
        with self._claimed(place, claimant):
            now, kept = self._found(place), self._kept(place)
            _expect(place, now, version)
            if previous is None:
                self._remove(place)
            elif kept.get("of") == previous:
                before = kept["before"]
                self._write(place, now, {"value": before["value"], **attributes_of(before)})
                self._is_there(place, previous)
            else:
                raise Rejected("not_found", f"{name} no longer keeps version {previous}")
        self._remove(place.beside(_CLAIM), if_it_says=claimant)

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Look at the variable, and say what GitLab tells of the token's scopes and its user's role."""
        return of_all_variables(self._gitlab) if whose is None else of_variables(self._gitlab, variable_of(whose))

    @contextlib.contextmanager
    def _claimed(self, place: Variable, claimant: str) -> Iterator[None]:
        """Keep other workers out. The claim stays when it is not certain what was done: repeating goes on with it."""
        claim = place.beside(_CLAIM)
        if not self._create(claim, {**NEW, "masked": False, "value": json.dumps({"by": claimant, "at": clock.now()})}):
            found = fields_of(self._found(claim))
            if found.get("by") != claimant:
                if found and clock.now() - float(found["at"]) > _STALE_S:
                    self._remove(claim)
                raise Unavailable("being_promoted", f"another worker is at {place}", 1.0)
        try:
            yield
        except (Rejected, Unavailable):
            self._remove(claim)
            raise

    def _kept(self, place: Variable) -> dict[str, Any]:
        return fields_of(self._found(place.beside(_KEPT)))

    def _keep(self, place: Variable, fields: Mapping[str, Any], model: Found | None) -> None:
        kept = place.beside(_KEPT)
        value = {"value": without_spaces(fields)}
        if not self._create(kept, {**attributes_of(model), **value}):
            self._write(kept, {}, value)

    def _found(self, place: Variable) -> Found | None:
        """Return a variable, None where there is none. Raises Rejected("hidden") for one that nobody can read."""
        reply = self._gitlab.read(place.path)
        if is_absent(reply):
            if "Variable Not Found" not in said(reply):
                raise Rejected("not_this_account", f"{place.owner}: {quoted(reply, said(reply))}")
            return None
        found = told(reply, "key")
        if found.get("value") is None:
            raise Rejected("hidden", f"{place} cannot be read: make it masked instead of masked and hidden")
        return found

    def _create(self, place: Variable, fields: Mapping[str, Any]) -> bool:
        """Make a variable; False where there is one."""
        body = {**fields, "key": place.key, "environment_scope": place.scope}
        reply = self._gitlab.change("POST", place.all_of_owner, body)
        if reply.status == HTTPStatus.BAD_REQUEST and _TAKEN in said(reply):
            return False
        _done(reply, place)
        return True

    def _write(self, place: Variable, now: Found | None, fields: Mapping[str, Any]) -> None:
        if now is None:
            if not self._create(place, {**NEW, **fields}):
                raise Rejected("store_changed", f"another hand has just made {place}")
            return
        # A value is taken as it is: what looks like a reference to another variable in it is none.
        _done(self._gitlab.change("PUT", place.path, {"raw": True, **fields}), place)

    def _is_there(self, place: Variable, version: str | None) -> None:
        """Read it back: whoever stands before GitLab may have said yes in its place."""
        try:
            written = version_of(place, self._found(place)) == version
        except Unavailable as error:
            raise Uncertain("not_read_back", f"{place}: {error.reason}") from None
        if not written:
            raise Uncertain("not_written", f"GitLab said yes, and {place} is still another")

    def _remove(self, place: Variable, if_it_says: str | None = None) -> None:
        if if_it_says is not None and fields_of(self._found(place)).get("by") != if_it_says:
            return
        reply = self._gitlab.change("DELETE", place.path)
        if not is_absent(reply):
            _done(reply, place)


def _done(reply: Reply, place: Variable) -> None:
    if reply.status == HTTPStatus.BAD_REQUEST:  # its words name fields, and quote no value
        raise Rejected("http_400", f"{place}: {quoted(reply, said(reply))}")
    if not reply.ok:
        raise reply.refusal()


def _expect(place: Variable, now: Found | None, expected: str | None) -> None:
    if version_of(place, now) != expected:
        raise Rejected("store_changed", f"{place} is at {version_of(place, now)}, not at {expected}")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()[:32]
