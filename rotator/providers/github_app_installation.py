"""A grant of GitHub: an app of somebody else that an organization has installed.

GitHub lets nobody but the app's owner suspend an installation over REST; an organization's owner does it on the web
page, or uninstalls it there. So a person does it, and here it is looked at: the list of an organization's installations
says which are there, and which are suspended. The owner is the organization, the id ORGANIZATION/APP:NUMBER, with APP
as in the app's address and the app's number, which stays when its owner calls it otherwise, and when it is installed
anew. A report may leave the number away, or give the installation's number in place of APP; an id without a number (of
before it was kept) is believed by name.
The rotator's own token belongs to an owner of the organization (`admin:org` or `read:org`), or has "Administration:
read" of it. What GitHub calls it who suspended it (the app's owner or ours) decides who may lift it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected, Unavailable, asking
from rotator.families.github_keys import GitHubKeys, told
from rotator.families.github_permissions import of_installations
from rotator.kind import Kind
from rotator.permissions import Permission
from rotator.ports.connection import Connection
from rotator.ports.listing import Discovered
from rotator.ports.provider import Capability, State, Status, Verdict
from rotator.rest_kind import RestKind

FAMILY = "github"
SETTLE_S = 30.0
"""GitHub names no time after which a suspended installation's tokens are refused; this is long against usual caches."""

_PAGE, _MOST_PAGES = 100, 100
_ID = re.compile(r"([A-Za-z0-9-]+)/([A-Za-z0-9-]{1,100})(?::([0-9]{1,20}))?")
_KEPT = {"created_at": "created_at", "repositories": "repository_selection", "suspended_at": "suspended_at"}


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> GitHubAppInstallation:
    """Return the provider of the organizations that one token is shown."""
    return GitHubAppInstallation(connection, name)


class GitHubAppInstallation(Kind):
    """Apps that organizations have installed; `owner` is the organization."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.MANUAL
    is_grant: ClassVar[bool] = True
    no_knock: ClassVar[str] = "an app comes with a key of its own, which its owner has"
    sends_secret: ClassVar[bool] = False
    calls: ClassVar[Mapping[str, int]] = {"preserve": 2}
    settle_s = SETTLE_S
    secret_field = "app"  # noqa: S105 - the name of a field; nothing is ever delivered

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection, name)
        self._github = GitHubKeys(connection)
        organization = connection.account or "rotator-provider-check"
        self.nobody = (organization, f"{organization}/rotator-provider-check")

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name it by the organization and the app, or the installation's number. Raises Rejected."""
        self._must_belong(leaked, self._github.address)
        found = _ID.fullmatch(leaked.id or "")
        if found is None:
            raise Rejected("unreadable", "such a grant is ORGANIZATION/APP, as in the app's address")
        account = self._connection.account
        if account and account.casefold() != found[1].casefold():
            raise Rejected("not_this_account", f"{found[1]} is not {account}")
        for each in self._installed(found[1]):
            if _is_it(each, found[2], found[3]) or (found[3] is None and found[2] == str(each["id"])):
                return self._ref(found[1], each) if found[3] is None else self._ref_of(found[1], found[0])
        raise Rejected("unknown_credential", f"{found[1]} has not installed {found[2]}")

    def inspect(self, ref: CredentialRef) -> Status:
        """Return ACTIVE while it is installed, SUSPENDED once GitHub says since when it is that."""
        named = _ID.fullmatch(ref.id)
        if named is None or named[1] != ref.owner:
            raise Rejected("unreadable", "such a grant is ORGANIZATION/APP:NUMBER, of that very organization")
        found = next((each for each in self._installed(ref.owner) if _is_it(each, named[2], named[3])), None)
        if found is None:
            return Status(State.ABSENT)
        return Status(State.SUSPENDED if found.get("suspended_at") else State.ACTIVE, _facts(found))

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return every app that the organization has installed."""
        return frozenset(self._ref(ref.owner, each) for each in self._installed(ref.owner))

    def discover(self) -> Iterator[Discovered]:
        """Yield those of the connection's account, else of every organization that shows them to our own user."""
        account = self._connection.account
        for organization in [account] if account else self._organizations():
            try:
                found = self._installed(organization)
            except Rejected:
                if account:
                    raise
                continue  # our user is a member there, and no owner
            for each in found:
                state = State.SUSPENDED if each.get("suspended_at") else State.ACTIVE
                yield Discovered(self._ref(organization, each), {**_facts(each), "state": state.value})

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return what the app was granted, and where it is suspended."""
        return self.inspect(ref).facts or {"state": State.ABSENT.value}

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:  # noqa: ARG002 - nobody is shown it
        """Raise Rejected("no_knock")."""
        raise Rejected("no_knock", self.no_knock)

    def revoke(self, ref: CredentialRef) -> None:
        """Raise Rejected("unsupported"): a person does it on the web page."""
        raise Rejected("unsupported", f"{ref.id}: GitHub lets an organization do this on its web page alone")

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Return whether an organization's installations are shown to our own token."""
        return of_installations(self._github.read, whose or self._connection.account)

    def _ref(self, organization: str, installation: Mapping[str, Any]) -> CredentialRef:
        return self._ref_of(organization, f"{organization}/{_app(installation)}:{installation['app_id']}")

    def _organizations(self) -> Iterator[str]:
        for each in self._github.listed("/user/orgs"):
            if isinstance(login := each.get("login"), str):
                yield login

    def _installed(self, organization: str) -> list[Mapping[str, Any]]:
        """Return an organization's installations. Raises Rejected("not_this_account") where they are not shown."""
        if not re.fullmatch(r"[A-Za-z0-9-]+", organization):
            raise Rejected("not_this_account", f"{organization!r} is no organization")
        found: list[Mapping[str, Any]] = []
        path = f"/orgs/{organization}/installations?per_page={_PAGE}"
        for page in range(1, _MOST_PAGES):
            with asking():
                content = told(self._github.read(f"{path}&page={page}"))
            listed = content.get("installations") if isinstance(content, Mapping) else None
            if not isinstance(listed, list) or not all(map(_is_named, listed)):
                raise Unavailable("answer_unreadable", f"the installations of {organization}")
            found += listed
            if len(listed) < _PAGE:
                break
        return found


def _is_named(each: object) -> bool:
    return isinstance(each, Mapping) and "id" in each and isinstance(each.get("app_id"), int)


def _is_it(installation: Mapping[str, Any], app: str, number: str | None) -> bool:
    """Tell whether this is that app: by its number where that is known."""
    return str(installation["app_id"]) == number if number is not None else _app(installation) == app


def _app(installation: Mapping[str, Any]) -> str:
    return str(installation.get("app_slug") or installation["id"])


def _facts(installation: Mapping[str, Any]) -> dict[str, str]:
    told_ = {name: str(installation[field]) for name, field in _KEPT.items() if installation.get(field)}
    granted, page = installation.get("permissions"), installation.get("html_url")
    may = ", ".join(f"{name}: {level}" for name, level in sorted(granted.items())) if isinstance(granted, dict) else ""
    by = installation.get("suspended_by")
    return {
        "trusts": _app(installation),
        **told_,
        **({"may": may} if may else {}),
        **({"suspended_by": str(by["login"])} if isinstance(by, Mapping) and by.get("login") else {}),
        **({"page": str(page)} if page else {}),
    }
