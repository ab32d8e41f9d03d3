"""A person's choices on the command line: what is left out stays visible, what fits nothing is told before anything."""

from __future__ import annotations

import pytest


@pytest.mark.usefixtures("data_dir")
def test_what_is_left_out_is_in_the_plan_and_the_report_and_a_choice_that_fits_nothing_is_refused(rotator):
    rotator.is_ready = True
    (rotator.folder / "list.csv").write_text("provider,id\ntls_private_key,k1\nnpm_token,npm-1\n")
    declare = ("incident", "declare", "list.csv", "--title", "Stolen")
    assert "an exclusion needs a reason" in rotator(*declare, "--exclude", "id:npm-1").ended(2).one_line
    line = rotator(*declare, "--strategy", "id:k2=revoke_only").ended(2).one_line
    assert "no credential here has the id `k2` (one of k1)" in line
    done = rotator(*declare, "--exclude", "provider:npm*", "--reason", "long dead").ended(0)
    planned = rotator("plan", "last", "-o", "json").ended(0).report["planned"]
    assert planned["digest"] in done.out
    [out] = planned["excluded"]
    assert (out["id"], out["reason"], planned["totals"]["excluded"]) == ("npm-1", "long dead", 1)
    again = rotator("plan", "last").ended(0).out
    assert done.err.strip() in again
    assert f"approve {done.out.split()[0]} --digest {planned['digest']}" in again
    assert rotator("report", "last", "-o", "json").ended(3).report["totals"]["dismissed"] == 1
