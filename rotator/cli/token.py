"""API tokens: who may call the API, and as whom. A token is shown once, as it is made."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from rotator.actor import actor
from rotator.cli.options import Context, Output, OutputOption, Reason, console, emit
from rotator.errors import BadInput
from rotator.report.plain import plain

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_LASTS = re.compile(r"(\d{1,4})([hd])")
_SECONDS = {"h": 3600.0, "d": 86400.0}
_LONGEST_S = 366 * 86400.0
Name = Annotated[str, typer.Argument(metavar="NAME", help="What it is called, in lists and in evidence.")]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    group = typer.Typer(help="Who may call the API, and what each may do.", no_args_is_help=True)
    group.command("create")(create)
    group.command("list")(list_tokens)
    group.command("revoke")(revoke)
    app.add_typer(group, name="token")


def create(
    context: typer.Context,
    name: Name,
    role: Annotated[
        str, typer.Option(help="viewer, responder, approver or admin; never more than the person whose it is.")
    ],
    person: Annotated[
        str, typer.Option(metavar="LOGIN", help="Whose acts its acts are; without it they are the token's own.")
    ] = "",
    expires: Annotated[str, typer.Option(metavar="TIME", help="How long it lasts: 12h, 30d; a year at most.")] = "30d",
) -> None:
    """Make a token for the API, and print it once.

    The ledger keeps its hash alone: nobody can print it again.

    Where `[approval]` stands in the configuration, a person makes tokens of his own, and an admin those of programs;
    those of others only where `four_eyes = false`.

    Example: rotator token create pager --role responder --expires 30d
    """
    from rotator.flow.approval import Role  # noqa: PLC0415
    from rotator.flow.playbook_words import meant  # noqa: PLC0415
    from rotator.report.clocks import moment  # noqa: PLC0415

    given: Context = context.obj
    if role not in set(Role):
        raise BadInput(f"no role is called {role}", "--role", meant(role, Role))
    if _NAME.fullmatch(name) is None:
        raise BadInput("no token can be called so", name, "letters, digits, _ . and -, 64 at most")
    secret, made = given.parts().tokens.create(name, Role(role), person, _lasts_s(expires), actor())
    until = f"{made.name}: {made.role}, acts as {made.by}, until {moment(made.expires_at)[:16]}Z"
    typer.echo(secret.reveal())
    typer.echo(
        plain(f"{until}. It is shown this once; end it with: {given.called} token revoke {name} --reason …"), err=True
    )


def list_tokens(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """List tokens, the newest first.

    It tells what each may do, as whom, until when, and when it was used last.

    Example: rotator token list -o jsonl
    """
    from rotator.report.tables import plain_table, words  # noqa: PLC0415 - only this command pays for them
    from rotator.shown.doors import tokens  # noqa: PLC0415

    given: Context = context.obj
    found = tokens(given.parts())
    if output is not Output.TABLE:
        emit(found, output)
        return
    if not found:
        typer.echo(f"nobody may call the API yet; {given.called} token create NAME --role viewer lets one", err=True)
        return
    table = plain_table(None, "name", "begins", "role", "acts as", "state", "expires", "used")
    for row in found:
        acts_as = row["person"] or f"token {row['name']}"
        told = (row["name"], f"{row['begins']}…", row["role"], acts_as, row["state"])
        table.add_row(*(words(str(each)) for each in told), str(row["expires_at"])[:10], str(row["used_at"])[:10])
    console().print(table)


def revoke(context: typer.Context, name: Name, reason: Reason) -> None:
    """Let a token open nothing any more.

    That holds from the next request on. One that is revoked already stays as it is.

    Example: rotator token revoke pager --reason "…"
    """
    given: Context = context.obj
    found = given.parts().tokens.revoke(name, actor(), reason)
    if found.revoked_at is not None:
        typer.echo(plain(f"{found.name} was revoked already, by {found.revoked_by}: {found.revoked_reason}"))
        return
    typer.echo(plain(f"{found.name} is revoked: {found.role}, acted as {found.by}"))


def _lasts_s(text: str) -> float:
    found = _LASTS.fullmatch(text)
    seconds = int(found[1]) * _SECONDS[found[2]] if found is not None else 0.0
    if not 0 < seconds <= _LONGEST_S:
        raise BadInput(f"`{text}` is no time a token lasts", "--expires", "write 12h or 30d, 366d at most")
    return seconds
