"""A draft of a claim as the rows that are written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Executable

from rotator.claims import Draft
from rotator.flow.run import Work
from rotator.ledger import accounts, reservation, rows, statements
from rotator.ledger.evidence import chained


class Written:
    """A draft as rows, made before the ledger's one writer is waited for. `work` is what the claim sees afterwards."""

    def __init__(self, work: Work, draft: Draft) -> None:
        branch = work.branch
        evidence, length, head = chained(branch.id, branch.length, branch.head, map(rows.plain, draft.records))
        self.draft = draft
        self.work = replace(work, branch=replace(branch, length=length, head=head))
        self.branch = {
            "b_id": branch.id,
            "b_fence": branch.fence,
            "b_length": branch.length,
            "length": length,
            "head": head,
        }
        run = work.run.id
        found: list[tuple[Executable, list[dict[str, Any]]]] = [
            (
                statements.ADD_BRANCH,
                [
                    rows.apart_row(
                        each, run=run, incident=work.run.incident, account=branch.account, priority=work.run.priority
                    )
                    for each in draft.apart
                ],
            ),
            (statements.ADD_STEP, [rows.step_row(each, run) for each in (*draft.added, *draft.apart)]),
            (
                statements.MOVE_STEP,
                [{"s_id": each.id, **rows.step_progress(each)} for each in draft.steps.values()],
            ),
            (
                statements.PROVE,
                [{"p_run": run, "p_target": each.target, **rows.proof_row(each)} for each in draft.proofs.values()],
            ),
            (statements.ADD_EVIDENCE, evidence),
            (
                statements.GIVE_MINT,
                [{"m_owner": reservation.owner_of(work.run.ref), "m_branch": branch.id}] if draft.gives_mint else [],
            ),
            (
                statements.GIVE_BACK,
                [{"a_name": branch.account, "unspent": draft.unspent_calls}] if draft.unspent_calls else [],
            ),
            (accounts.GIVE_PROBE_BACK, [{"a_name": branch.account}] if draft.met_nobody else []),
            (
                statements.SETTLE_LATE,
                [
                    {
                        "l_credential": each,
                        "l_provider": work.run.ref.provider,
                        "l_connection": work.run.ref.connection,
                        "l_owner": work.run.ref.owner,
                    }
                    for each in draft.settled_late
                ],
            ),
        ]
        self.rows = [(statement, values) for statement, values in found if values]
