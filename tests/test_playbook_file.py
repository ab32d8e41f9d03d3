"""Playbooks on disk: each mistake is one line that names its place and how to mend it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator import playbook_file
from rotator.errors import BadInput
from rotator.flow.playbook import json_schema
from rotator.strict_yaml import MAX_BYTES

SCHEMA = Path(__file__).parents[1] / "docs" / "playbook.schema.json"

GOOD = """\
playbook: badge
provider: badge
summary: Revoke an exposed badge.
strategies: [revoke_only]
recognises: {gitleaks: [badge]}
steps:
  - {id: paired,  do: verify exposed}
  - {id: contain, do: revoke exposed}
  - {id: refused, do: verify exposed, expect: rejected, retry_for: 5m}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "playbooks").mkdir()
    return tmp_path / "playbooks"


@pytest.fixture(scope="module")
def anywhere(tmp_path_factory):
    return tmp_path_factory.mktemp("anywhere")


def write(folder, text, name="badge.yaml"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def complaint(folder, text):
    with pytest.raises(BadInput) as caught:
        playbook_file.load(write(folder, text))
    said = str(caught.value)
    assert "\n" not in said
    return said


def test_a_good_playbook_is_read(folder):
    playbook = playbook_file.load(write(folder, GOOD))
    assert [line.id for line in playbook.steps] == ["paired", "contain", "refused"]
    assert playbook.steps[2].retry_for == 300
    assert playbook_file.lint(folder / "badge.yaml") == []


def test_a_mistake_on_line_7_is_told_with_its_line_and_its_mend(folder):
    assert (
        complaint(folder, GOOD.replace("do: verify exposed}", "do: verfy exposed}"))
        == "playbooks/badge.yaml:7: unknown verb `verfy` (did you mean `verify`?)"
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("expect:", "expct:", "9: unknown key `expct` (did you mean `expect`?)"),
        ("summary:", "sumary:", "1: `summary` is missing; 1 more (add `summary:`)"),
        ("expect: rejected", "expect: rejcted", "9: unknown expect `rejcted` (did you mean `rejected`?)"),
        ("[revoke_only]", "[revoke_onyl]", "4: unknown strategies `revoke_onyl` (did you mean `revoke_only`?)"),
        ("retry_for: 5m", "retry_for: 5", "9: `5` is no duration (a whole number and a unit: 30s, 5m, 12h or 7d)"),
        ("id: contain", "id: paired", "8: two steps are called `paired` (rename one)"),
        ("id: contain", "id: Contain!", "8: `Contain!` is no id (it must match ^[a-z][a-z0-9_]{0,62}$)"),
        ("provider: badge", "provider: http", "2: `provider: http` has no `http:` section"),
        ("provider: badge", "provider: badge\nprovider: other", "3: the same key twice in one mapping"),
        ("summary: R", "summary: 'R", "3: not YAML: found unexpected end of stream"),
        ("summary: R", "summary: a: R", "3: not YAML: mapping values are not allowed here"),
        ("  - {id: paired", "\t- {id: paired", "7: a tab in the indent (indent with spaces)"),
        ("[badge]", "&b [badge]", "5: anchors and aliases are not read (write it out)"),
        (
            "summary: R",
            "summary: !!python/object:os.system R",
            "3: the tag `tag:yaml.org,2002:python/object:os.system`",
        ),
        ("[badge]}", "[badge], 7: [x]}", "5: a key that is no plain word"),
        ("[badge]}", "[badge], <<: {x: [y]}}", "5: a key that is no plain word"),
        ("[badge]", "[" * 30 + "]" * 30, "5: nested too deeply"),
        ("steps:", "---\nsteps:", "6: a second document (drop the `---` line)"),
        ("summary: Revoke", "summary: [Revoke", "3: not YAML: expected ',' or ']', but got ':'"),
        ("[revoke_only]", "revoke_only", "4: `strategies` must be a list, not a text"),
        ("do: revoke exposed", "do: verify exposed", "4: under revoke_only, nothing stops the exposed credential"),
        ("do: verify exposed}", "do: revoke exposed}", "9: under revoke_only, a refusal proves nothing"),
    ],
)
def test_each_mistake_is_one_line_with_its_place(folder, old, new, said):
    assert old in GOOD
    assert complaint(folder, GOOD.replace(old, new, 1)).removeprefix("playbooks/badge.yaml:").startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "1: nothing in it"),
        (b"\n# only words\n", "1: nothing in it"),
        (b"---\n", "2: a list or a word where a mapping belongs"),
        (b"- a\n- b\n", "1: a list or a word where a mapping belongs"),
        (b"just words\n", "1: a list or a word where a mapping belongs"),
        (b"%YAML 1.1\n---\na: yes\n", "2: this is read as YAML 1.2"),
        (b"playbook: a\nsummary: caf\xe9\n", "2: not UTF-8 text"),
        (b"\x00\x01\x02", "1: not YAML: "),
        (b"a: " + b"x" * MAX_BYTES, "1: more than 256 KB"),
        (b"[" * 100_000, "1: nested too deeply"),
    ],
)
def test_what_is_no_playbook_at_all_is_one_line_too(folder, text, said):
    assert complaint(folder, text).removeprefix("playbooks/badge.yaml:").startswith(said)


def test_a_bomb_of_aliases_is_refused_before_it_is_built(folder):
    levels = "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))
    assert ":1: anchors and aliases" in complaint(folder, "a0: &a0 [x]\n" + levels)


def test_a_file_that_is_not_there_is_one_line(folder):
    with pytest.raises(BadInput, match=r"^playbooks/nobody\.yaml: there is no such file"):
        playbook_file.load(folder / "nobody.yaml")
    with pytest.raises(BadInput, match="it cannot be read: Is a directory"):
        playbook_file.lint(folder)


def test_lint_tells_every_mistake_in_the_order_of_the_lines(folder):
    text = GOOD.replace("expect:", "expct:").replace("do: revoke", "do: revok").replace("summary", "sumary")
    found = playbook_file.lint(write(folder, text))
    assert [(each.line, each.what) for each in found] == [
        (1, "`summary` is missing"),
        (3, "unknown key `sumary`"),
        (8, "unknown verb `revok`"),
        (9, "unknown key `expct`"),
    ]
    assert found[2].column == text.splitlines()[7].index("do:") + 1


def test_a_long_value_is_not_echoed_whole(folder):
    assert "z" * 41 not in complaint(folder, GOOD.replace("rejected", "z" * 500))


def test_yes_and_on_are_words(folder):
    playbook = playbook_file.load(write(folder, GOOD.replace("[badge]", "[yes, on, 'null']")))
    assert playbook.recognises == {"gitleaks": ["yes", "on", "null"], "list": ["badge"]}


def test_a_list_may_name_every_kind_and_no_file_need_say_so(folder):
    playbook = playbook_file.load(write(folder, GOOD.replace("recognises: {gitleaks: [badge]}\n", "")))
    assert playbook.recognises == {"list": ["badge"]}


def test_a_scanner_that_nobody_reads_is_told(folder):
    assert (
        complaint(folder, GOOD.replace("gitleaks:", "gitlaks:"))
        == "playbooks/badge.yaml:5: no report comes from `gitlaks` (did you mean `gitleaks`?)"
    )


def test_a_marker_that_is_read_and_never_sent_is_told(folder):
    acme = (playbook_file.SHIPPED / "acme_api_token.yaml").read_text()
    said = complaint(folder, acme.replace(', marker: "{marker}"}', "}"))
    assert "`list` reads a `marker` that `issue` never sends: put {marker} into its body" in said
    playbook_file.load(write(folder, acme.replace(', marker: "{marker}"}', "}").replace("marker: marker, ", "")))


def test_a_rest_kind_preserves_first(folder):
    acme = (playbook_file.SHIPPED / "acme_api_token.yaml").read_text()
    kept = next(line for line in acme.splitlines(keepends=True) if "preserve exposed" in line)
    assert "preserve first" in complaint(folder, acme.replace(kept, ""))


def test_mistakes_of_every_sort_are_told_in_one_round(folder):
    text = GOOD.replace("gitleaks:", "gitlaks:").replace("summary", "sumary").replace(", expect: rejected", "")
    found = [(each.line, each.what) for each in playbook_file.lint(write(folder, text))]
    assert found[:3] == [
        (1, "`summary` is missing"),
        (3, "unknown key `sumary`"),
        (5, "no report comes from `gitlaks`"),
    ]
    assert (8, "under revoke_only, no refusal is asked for wherever it was stopped") in found


def test_the_shipped_playbooks_come_first_and_more_folders_after(folder):
    write(folder, GOOD)
    found = playbook_file.load_all([folder, playbook_file.SHIPPED])
    assert list(found)[-1] == "badge"
    assert {"acme_api_token", "aws_iam_access_key", "ssh_authorized_key", "vault_token"} <= set(found)


def test_two_playbooks_of_one_name_are_refused_with_both_files(folder):
    write(folder, GOOD)
    write(folder, GOOD.replace("[badge]", "[other]"), "second.yaml")
    with pytest.raises(BadInput) as caught:
        playbook_file.load_all([folder])
    assert str(caught.value).startswith(
        "playbooks/second.yaml: there is already a playbook `badge` in playbooks/badge.yaml"
    )


def test_two_playbooks_for_one_finding_are_refused_with_both_files(folder):
    write(folder, GOOD)
    write(folder, GOOD.replace("playbook: badge", "playbook: pass"), "pass.yaml")
    with pytest.raises(BadInput) as caught:
        playbook_file.load_all([folder])
    assert str(caught.value).startswith(
        "playbooks/pass.yaml: gitleaks's `badge` is already recognised by playbooks/badge.yaml"
    )


def test_a_folder_that_is_not_there_and_a_file_that_would_be_overlooked_are_refused(folder):
    with pytest.raises(BadInput, match="no such folder"):
        playbook_file.load_all([folder / "nowhere"])
    write(folder, GOOD, "badge.yml")
    with pytest.raises(BadInput, match=r"rename it to badge\.yaml"):
        playbook_file.load_all([folder])


def test_the_published_schema_is_the_one_in_use():
    assert json.loads(SCHEMA.read_text()) == json_schema(), "run `make docs`"


@given(st.one_of(st.binary(max_size=200), st.tuples(st.integers(0, len(GOOD)), st.text(max_size=8))))
def test_whatever_is_in_the_file_it_is_read_or_refused_in_one_line(anywhere, mess):
    raw = mess if isinstance(mess, bytes) else f"{GOOD[: mess[0]]}{mess[1]}{GOOD[mess[0] :]}".encode()
    path = write(anywhere, raw)
    try:
        playbook, said = playbook_file.load(path), None
    except BadInput as error:
        playbook, said = None, str(error)
    assert playbook is not None or (said.startswith(f"{path}:") and len(said.splitlines()) == 1)


def test_the_shipped_ones_are_the_same_read_one_by_one_and_need_no_other(monkeypatch):
    whole = playbook_file.load_all()
    some = playbook_file.available()
    assert list(some) == list(whole)
    assert dict(some) == whole
    monkeypatch.setattr(playbook_file, "load", None)  # what was read is kept
    assert some["vault_token"] is some["vault_token"]
    assert "no_such_kind" not in some
    with pytest.raises(KeyError):
        some["no_such_kind"]
