"""Have the signed checkpoints kept and stamped outside at once, and packs beside them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rotator.cli.options import Output, OutputOption, emit
from rotator.cli.signing_keys import signing_key
from rotator.errors import BadInput, RotatorError
from rotator.report.plain import plain

if TYPE_CHECKING:
    from rotator.bootstrap import Rotator

PackFile = Annotated[
    Path | None, typer.Argument(metavar="[PACK]", help="A pack that `evidence export` made, to be kept there too.")
]


def keep(context: typer.Context, pack: PackFile = None, output: OutputOption = Output.TABLE) -> None:
    """Keep what is signed outside, at once.

    What has grown is signed first. Then each keeper of [evidence] keep gets the checkpoints that it lacks, and the
    authority of [evidence] timestamps stamps the newest; a running dispatcher does so by itself. A pack is kept beside
    them under its name, and replaces none. Exit code 1: a keeper or the authority failed, and why.

    Example: rotator evidence keep incident.evidence.zip
    """
    from rotator.witnessing import witnesses_of  # noqa: PLC0415

    parts: Rotator = context.obj.parts()
    witnesses = witnesses_of(parts.settings, lambda: parts.witnesses)
    if not witnesses:
        raise BadInput(
            "nothing is kept outside", "evidence: keep", "name a folder or a bucket; docs/evidence.md says how"
        )
    if pack is not None:
        _must_hold(pack)
    parts.checkpoints.sign(signing_key(parts))
    told: list[dict[str, object]] = []
    # The authority first: the others keep what it stamps.
    for each in sorted(witnesses, key=lambda each: each.address in parts.settings.evidence.keep):
        why = ""
        try:
            count = each.witness(at_once=True)
            if pack is not None and each.address in parts.settings.evidence.keep:
                _keep_pack(parts, each.address, pack)
        except RotatorError as error:
            count, why = 0, str(error)
        (stands,) = parts.witnesses.standing([each.address])
        told.append({"name": each.address, "new": count, "until": stands.until, "behind": stands.behind, "why": why})
        if output is Output.TABLE:
            typer.echo(plain(f"{each.address}: " + (f"FAILED: {why}" if why else f"checkpoints until {stands.until}")))
    if output is not Output.TABLE:
        emit({"witnesses": told}, output)
    if any(each["why"] for each in told):
        raise typer.Exit(1)


def _must_hold(pack: Path) -> None:
    from rotator.evidence.pack import Pack  # noqa: PLC0415
    from rotator.evidence.verify import verify  # noqa: PLC0415

    if verify(Pack(pack)).findings:
        raise BadInput("it does not hold", str(pack), "rotator evidence verify says where; export it again")


def _keep_pack(parts: Rotator, address: str, pack: Path) -> None:
    from rotator.witnessing import keeper  # noqa: PLC0415

    try:
        with pack.open("rb") as content:
            keeper(parts.settings, address).keep(pack.name, content)
    except OSError as error:
        raise BadInput(f"cannot be read ({error.strerror})", str(pack), "name a pack") from None
