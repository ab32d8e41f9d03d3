"""The keys that sign evidence: which signed first, and how one passes on to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rotator.actor import actor
from rotator.cli.options import Context, Output, OutputOption, emit
from rotator.errors import BadInput
from rotator.report.plain import plain

if TYPE_CHECKING:
    from rotator.bootstrap import Rotator
    from rotator.evidence.signing import SigningKey

Next = Annotated[str, typer.Argument(metavar="REFERENCE", help="The next key: env:NAME, file:PATH or vault:PATH#KEY.")]
Stolen = Annotated[
    str | None,
    typer.Option("--old-is-stolen", metavar="SINCE", help="Since when the old key may be a thief's, ISO 8601."),
]


def key(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """Show the public key that signed first: packs are checked with it.

    Who checks packs must know it from elsewhere than from them. Later keys follow from it: each was named by the one
    before.

    Example: rotator evidence key
    """
    from rotator.evidence.signing import fingerprint  # noqa: PLC0415

    parts = context.obj.parts()
    now = signing_key(parts).public
    parts.checkpoints.must_sign(now)
    first = parts.checkpoints.first_key() or now
    if output is not Output.TABLE:
        emit({"key": first, "fingerprint": fingerprint(first), "signs_now": now}, output)
        return
    typer.echo(f"{first}  ({fingerprint(first)})")
    if now != first:
        typer.echo(f"it was passed on; now signs {now}  ({fingerprint(now)})")


def new_key(context: typer.Context, following: Next, old_is_stolen: Stolen = None) -> None:
    """Pass on to another signing key.

    The old one signs which one follows it, and that one who said so. With --old-is-stolen the old one also says since
    when it is, for good: checks then believe of what it signed only what was kept outside, or stamped with a time,
    before.

    Then set evidence.signing_key to the same reference, everywhere at once: what still signs with the old one is
    refused from here on.

    Example: rotator evidence new-key file:/run/secrets/rotator-signing-2
    """
    from rotator import secret_reference  # noqa: PLC0415
    from rotator.cli.planning import moment  # noqa: PLC0415
    from rotator.evidence import signing  # noqa: PLC0415
    from rotator.ledger.passing_on import pass_on  # noqa: PLC0415

    given: Context = context.obj
    parts = given.parts()
    secret_reference.check(following, "REFERENCE")
    after = signing.from_text(secret_reference.read(following, parts.settings.folder).reveal())
    before = signing_key(parts)
    if after.public == before.public:
        raise BadInput("this is the key that signs now", following, "name another")
    since = moment(old_is_stolen, "--old-is-stolen", "since when it may be a thief's")
    made = pass_on(parts.database, before, after, actor(), stolen_since=since)
    typer.echo(plain(f"checkpoint {made.told['number']}: from the next one on {after.public} signs"))
    typer.echo(plain(f'now set in the configuration: [evidence] signing_key = "{following}"'))
    if since is not None:
        typer.echo(f"tell whoever checks packs the new key on another way than with a pack: {after.public}")


def signing_key(parts: Rotator) -> SigningKey:
    """Return the key that signs. Raises BadInput where none does."""
    found = parts.settings.signing_key()
    if found is None:
        raise BadInput("no key signs evidence here", "evidence.signing_key", "name one; docs/evidence.md says how")
    return found
