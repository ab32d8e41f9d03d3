"""A contract case for every vendor's playbook: its `http:` section against a fake of the published shapes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.playbook_file import SHIPPED, load
from rotator.ports.connection import Connection
from rotator.ports.provider import Provider
from rotator.practice.process import free_port
from rotator.providers.http import connect
from tests.contracts.case import Case
from tests.fakes.vendor_server import Vendor, filled, serving, shape_of


@contextmanager
def vendor_case(name: str) -> Iterator[Case]:
    """Open the case of one vendor's kind."""
    shape = shape_of(name)
    assert "living" in shape, f"{name}: say under `living` how a living one is refused; [] where nothing is printed"
    rest = load(SHIPPED / f"{name}.yaml").http
    assert rest is not None
    told = shape.get("case", {})
    paths = " ".join(call.call for call in (rest.list, rest.read) if call is not None)
    names = [f"{{{each}}}" for each in ("account", *told.get("settings", {})) if f"{{{each}}}" in paths]
    ends = rest.revoke.call if rest.revoke is not None else ""
    vendor = Vendor(shape)
    assert not rest.permissions or "told" in shape, f"{name}: say under `told` what the rotator is told of itself"
    own = _document(told, vendor.values)

    def connected(address: str, *, elsewhere: bool = False, own: Secret = own) -> Provider:
        words, account = dict(told.get("settings", {})), told.get("account")
        if elsewhere:
            words |= {each: "of-another" for each in words if f"{{{each}}}" in names}
            account = account and "of-another"
        made = Connection(
            name, "http", account, address, lambda: own, {"settings": words}, settle_s=0.0, propagation_s=0.0
        )
        return connect(made, name, rest)

    asked_for: set[str] = set()

    def plant(owner: str | None = None) -> tuple[CredentialRef, Secret]:
        entry = vendor.plant(owner)
        if owner is None:
            asked_for.clear()
        else:
            asked_for.add(entry["id"])
        return CredentialRef(name, name, entry["owner"], entry["id"]), Secret(entry["secret"])

    def leaked(ref: CredentialRef, secret: Secret) -> Leaked:
        report = told.get("report", ["secret"])
        return Leaked(
            id=ref.id if "id" in report else None,
            secret=secret if "secret" in report else None,
            owner=ref.owner if "owner" in report else None,
        )

    def beside(ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return the rest of the account, where it is one owner as a whole: nobody's credentials are apart there."""
        if ref.owner:
            return frozenset()
        others = {entry["id"] for entry in vendor.kept} - asked_for - {ref.id}
        return frozenset(ref.with_id(each) for each in others)

    with serving(vendor) as address:
        yield Case(
            provider=connected(address),
            unreachable=connected(f"http://127.0.0.1:{free_port()}"),
            plant=plant,
            leaked=leaked,
            garbled=lambda secret: Secret(secret.reveal()[:-6]),
            unknown=lambda ref: ref.with_id(vendor.unheard_of()),
            own=Secret(str(vendor.values["admin"])),
            by_hand=lambda ref: vendor.remove(ref.id),
            lists=rest.list is not None,
            views=rest.looks,
            beside=beside,
            elsewhere=connected,
            living=tuple((answer[0], answer[1]) for answer in shape["living"]),
            misplaced=connected(address, elsewhere=True) if names else None,
            names_account=any(each in ends for each in names),
            proves=bool(rest.verify.rejected),
            narrow=connected(address, own=_document(told, vendor.narrow)) if vendor.narrow else None,
            marks=rest.list is not None and rest.list.marker is not None,
        )


def _document(told: dict[str, object], values: dict[str, object]) -> Secret:
    """Return the rotator's own credential, as the shape has it kept."""
    document = filled(told.get("own", "{admin}"), values)
    return Secret(document if isinstance(document, str) else json.dumps(document))
