"""Our own uses of stolen credentials, for who reads access logs: what is not in this list was somebody else."""

from __future__ import annotations

from typing import Annotated

import typer

from rotator.cli import completion
from rotator.cli.options import Context, Output, OutputOption, console, emit

Of = Annotated[
    str,
    typer.Argument(
        metavar="INCIDENT", help="The incident's id, or `last` for the newest.", autocompletion=completion.incidents
    ),
]


def probes(context: typer.Context, of: Of, output: OutputOption = Output.TABLE) -> None:
    """List what the rotator did with the stolen credentials.

    Each with its times and, where the issuer told it, the request's number, as access logs have it. `rotator report
    INCIDENT --access LOG` takes them out of a log by itself.

    Example: rotator evidence probes last -o jsonl
    """
    from rotator.ledger import gone  # noqa: PLC0415 - only this command pays for them
    from rotator.ledger.probes import probes as found  # noqa: PLC0415
    from rotator.report.clocks import moment  # noqa: PLC0415
    from rotator.report.tables import plain_table, words  # noqa: PLC0415

    given: Context = context.obj
    parts = given.parts()
    incident = parts.reading.named(of)
    with parts.database.read() as connection:
        gone.refuse(connection, incident)
    rows = [
        {
            "id": each.credential,
            "run": each.run,
            "step": each.step,
            "do": each.do,
            "target": each.target,
            "begun_at": moment(each.begun_at),
            "ended_at": moment(each.ended_at),
            "answer": each.answer,
            "request": each.request,
        }
        for each in found(parts.database, incident)
    ]
    if output is not Output.TABLE:
        emit(rows, output)
        return
    table = plain_table(None, "id", "from", "to", "does", "answer", "request")
    for row in rows:
        does = f"{row['do']} on {row['target']}" if row["target"] else row["do"]
        table.add_row(*map(words, (row["id"], row["begun_at"], row["ended_at"], does, row["answer"], row["request"])))
    console().print(table)
