"""What each list and lock says, where its format leaves a choice."""

from __future__ import annotations

import json

import pytest

from rotator.packages.advisory import spec
from tests.packages.world import found, told

ANY_A = spec("npm:a==*")
SCOPED = spec("npm:@s/a==1.0.0")


def sureness(name: str, text: str | bytes, *advisories) -> list[str]:
    return [hit[3] for hit in told(found(name, text, *advisories))]


@pytest.mark.parametrize(
    ("line", "sure"),
    [
        ("litellm==1.82.7", ["locked"]),
        ("LiteLLM[proxy,extra] == 1.82.07 ; python_version > '3' # pinned", ["locked"]),
        ("litellm===1.82.7", ["locked"]),
        ("litellm==1.82.7 --hash=sha256:00", ["locked"]),
        ("litellm==1.82.7 \\\n    --hash=sha256:00 \\\n    --hash=sha256:01", ["locked"]),
        ("litellm @ https://files.example/litellm-1.82.7-py3-none-any.whl#sha256=0", ["locked"]),
        ("https://files.example/litellm-1.82.7.tar.gz", ["locked"]),
        ("./wheels/litellm-1.82.7-py3-none-any.whl", ["locked"]),
        ("-e git+https://git.example/litellm@0f3#egg=litellm", ["allowed"]),
        ("litellm @ git+https://git.example/litellm@v1", ["allowed"]),
        ("litellm", ["allowed"]),
        ("litellm==1.82.*", ["allowed"]),
        ("litellm~=1.82.0,!=1.82.7,!=1.82.8", []),
        ("litellm==1.82.6", []),
        ("litellm-proxy==1.82.7", []),
        ("# litellm==1.82.7", []),
        ("-c constraints.txt", []),
        ("./libraries/ours", []),
        ("--index-url https://index.example/litellm-1.82.7.tar.gz", []),
    ],
)
def test_a_requirement_is_as_sure_as_it_is_exact(line, sure):
    findings = found("repository/o/a/requirements.txt", f"idna>=3\n{line}\n")
    assert [hit[3] for hit in told(findings)] == sure
    assert findings.unread == ()


@pytest.mark.parametrize(
    ("name", "text", "sure"),
    [
        ("host/a/pip-freeze.txt", "litellm==1.82.7", ["installed"]),
        ("host/a/Freeze", "litellm @ file:///w/litellm-1.82.7-py3-none-any.whl", ["installed"]),
        (
            "host/a/freeze.txt",
            "# Editable install with no version control (litellm==1.82.7)\n-e /src/litellm",
            ["installed"],
        ),
        ("host/a/requirements.txt", "litellm==1.82.7", ["locked"]),
        ("repository/o/a/freeze.txt", "litellm==1.82.7", ["locked"]),
        (
            "host/a/list.txt",
            "Package Version Editable project location\n------- ----\nlitellm 1.82.7 /src",
            ["installed"],
        ),
        ("host/a/list.json", '[{"name": "LiteLLM", "version": "1.82.7"}]', ["installed"]),
        ("job/o/a/b/freeze.txt", "litellm==1.82.7\r\n", ["installed"]),
    ],
)
def test_a_freeze_says_what_is_there_unless_nothing_runs_there(name, text, sure):
    assert sureness(name, text) == sure


@pytest.mark.parametrize(
    ("line", "version"), [("litellm", "of any version"), ("litellm>=1.80", ">=1.80"), ("litellm==1.2", "1.2")]
)
def test_what_is_bad_in_every_version_is_found_by_its_name(line, version):
    [hit] = found("requirements.txt", line, spec("litellm==*")).hits
    assert hit.version == version


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_a_freeze_may_come_from_windows(encoding):
    text = ("\ufeff" if encoding == "utf-16-be" else "") + "idna==3.20\r\nlitellm==1.82.7\r\n" * 9_000
    findings = found("host/a/freeze.txt", text.encode(encoding))
    assert (told(findings), findings.components) == ([("host:a", "litellm", "1.82.7", "installed")], 18_000)


@pytest.mark.parametrize(
    "text",
    ["node_modules\ndist\nbuild\n", "We use litellm==1.82.7 everywhere.\n", "[[\n", "key: value\n", "a,b\n1,2\n"],
)
def test_what_only_looks_a_little_like_it_is_not_taken_for_requirements(text):
    findings = found("notes.txt", text)
    assert findings.hits == ()
    assert len(findings.unread) == 1


def bom(**more: object) -> str:
    return json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", **more})


def test_components_inside_components_are_found():
    inner = {"name": "litellm", "version": "1.82.7", "purl": "pkg:pypi/litellm@1.82.7"}
    for _ in range(50):
        inner = {"name": "outer", "components": [inner]}
    assert sureness("host/a/bom.json", bom(components=[inner])) == ["installed"]


def test_without_a_purl_it_may_be_anothers():
    findings = found("host/a/bom.json", bom(components=[{"name": "LiteLLM", "version": "1.82.7"}]))
    assert told(findings) == [("host:a", "litellm", "1.82.7", "allowed")]
    assert "not whose package it is" in findings.hits[0].why


@pytest.mark.parametrize(
    ("main", "site", "sure"),
    [
        (
            {"type": "container", "name": "registry.example/team/app:1.2"},
            "container:registry.example/team/app",
            "installed",
        ),
        ({"type": "device", "name": "kiosk-4"}, "host:kiosk-4", "installed"),
        ({"type": "application", "group": "org", "name": "app"}, "repository:org/app", "locked"),
        ({"type": "file", "name": "/"}, "repository:e", "locked"),
        (None, "repository:e", "locked"),
    ],
)
def test_a_bill_of_materials_says_itself_whose_it_is(main, site, sure):
    text = bom(components=[{"purl": "pkg:pypi/litellm@1.82.7"}], metadata={"component": main})
    assert told(found("e/bom.json", text)) == [(site, "litellm", "1.82.7", sure)]


def test_the_folder_is_believed_before_the_document():
    text = bom(
        components=[{"purl": "pkg:pypi/litellm@1.82.7"}], metadata={"component": {"type": "device", "name": "x"}}
    )
    assert told(found("host/a/bom.json", text))[0][0] == "host:a"


def spdx(packages: list[object], **more: object) -> dict[str, object]:
    return {"spdxVersion": "SPDX-2.3", "name": "app@1.0", "packages": packages, **more}


def located(purl: str) -> dict[str, object]:
    return {"name": "x", "externalRefs": [{"referenceType": "purl", "referenceLocator": purl}]}


@pytest.mark.parametrize(
    ("document", "hit"),
    [
        (spdx([located("pkg:pypi/litellm@1.82.7")]), ("repository:app", "litellm", "1.82.7", "locked")),
        # As GitHub's interface answers.
        ({"sbom": spdx([located("pkg:pypi/litellm@1.82.7")])}, ("repository:app", "litellm", "1.82.7", "locked")),
        # As GitHub writes what a manifest only requires.
        (
            spdx([{**located("pkg:pypi/litellm"), "versionInfo": ">= 1.80"}]),
            ("repository:app", "litellm", "1.82.7 or 1.82.8", "allowed"),
        ),
        # As Microsoft's tool writes it: what it is comes last.
        (
            {"files": [{}], "packages": [located("pkg:pypi/litellm@1.82.7")], "spdxVersion": "SPDX-2.2"},
            ("repository:e", "litellm", "1.82.7", "locked"),
        ),
        (
            spdx([{"name": "img:2", "primaryPackagePurpose": "CONTAINER"}, located("pkg:pypi/litellm@1.82.7")]),
            ("container:img", "litellm", "1.82.7", "installed"),
        ),
        (spdx([{"name": "pip:litellm", "versionInfo": "1.82.7"}]), ("repository:app", "litellm", "1.82.7", "allowed")),
        (
            {
                "@context": "https://spdx.example/rdf/3.0.1/spdx-context.jsonld",
                "@graph": [
                    {"type": "software_Package", "name": "x", "software_packageUrl": "pkg:pypi/litellm@1.82.7"},
                    {"type": "software_Package", "name": "img", "software_primaryPurpose": "container"},
                ],
            },
            ("container:img", "litellm", "1.82.7", "installed"),
        ),
    ],
)
def test_spdx_comes_in_several_wraps(document, hit):
    findings = found("e/manifest.json", json.dumps(document))
    assert told(findings) == [hit]
    assert findings.unread == ()


def test_a_text_over_many_lines_of_spdx_is_no_tag():
    text = """SPDXVersion: SPDX-2.3
DocumentName: registry.example/app
PackageName: x
PackageComment: <text>
PackageName: litellm
ExternalRef: PACKAGE-MANAGER purl pkg:pypi/litellm@1.82.7
</text>
PackageVersion: 1
ExternalRef: PACKAGE-MANAGER purl pkg:npm/chalk@5.6.1
"""
    assert told(found("x.spdx", text)) == [("repository:registry.example/app", "chalk", "5.6.1", "locked")]


@pytest.mark.parametrize(
    ("lock", "advisory"),
    [
        ({"packages": {"node_modules/b/node_modules/@s/a": {"version": "1.0.0"}}}, SCOPED),
        ({"packages": {"node_modules/other": {"name": "@s/a", "version": "1.0.0"}}}, SCOPED),
        ({"dependencies": {"b": {"version": "2.0.0", "dependencies": {"@s/a": {"version": "1.0.0"}}}}}, SCOPED),
        ({"dependencies": {"other": {"version": "npm:@s/a@1.0.0"}}}, SCOPED),
    ],
)
def test_npms_locks_nest_and_rename(lock, advisory):
    assert sureness("package-lock.json", json.dumps({"lockfileVersion": 2, **lock}), advisory) == ["locked"]


def test_a_link_and_the_project_itself_are_not_what_was_fetched():
    packages = {"": {"name": "a", "version": "1.0.0"}, "node_modules/a": {"link": True, "version": "1.0.0"}}
    assert sureness("package-lock.json", json.dumps({"lockfileVersion": 3, "packages": packages}), ANY_A) == []


def test_npms_names_are_told_apart_by_case():
    packages = {"node_modules/A": {"version": "1.0.0"}}
    assert sureness("package-lock.json", json.dumps({"lockfileVersion": 3, "packages": packages}), ANY_A) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("yarn.lock", '"@s/a@^1.0.0", "@s/a@1":\n  version "1.0.0"\n'),
        ("x", '__metadata:\n  version: 8\n\n"@s/a@npm:^1.0.0":\n  version: 1.0.0\n  resolution: "@s/a@npm:1.0.0"\n'),
        ("x", '__metadata:\n  version: 8\n\n"b@npm:@s/a@1":\n  version: 1.0.0\n  resolution: "@s/a@npm:1.0.0"\n'),
        ("x.yaml", "lockfileVersion: 5.4\n\npackages:\n\n  /@s/a/1.0.0_react@17.0.2:\n    dev: true\n"),
        ("x.yaml", "lockfileVersion: '6.0'\n\npackages:\n\n  /@s/a@1.0.0(react@17.0.2):\n    dev: true\n"),
        ("x.yaml", "lockfileVersion: '9.0'\n\nsnapshots:\n\n  '@s/a@1.0.0': {}\n"),
    ],
)
def test_yarn_and_pnpm_write_in_several_ways(name, text):
    assert sureness(name, text, SCOPED) == ["locked"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('version = 1\n\n[[package]]\nname = "LiteLLM"\nversion = "1.82.7"\n', 3),
        ("lock-version = '1.0'\n[[ packages ]]\r\nname = 'litellm'\r\nversion = '1.82.7'\r\n", 2),
        ("lock-version = '1.0'\npackages = [{name = 'litellm', version = '1.82.7'}]\n", None),
        (
            "lock-version = '1.0'\n[[packages]]\nname = 'litellm'\narchive = {path = 'w/litellm-1.82.7.tar.gz'}\n",
            2,
        ),
    ],
)  # fmt: skip
def test_a_lock_is_toml_however_it_is_written(text, line):
    [hit] = found("pylock.toml", text).hits
    assert (hit.sureness, hit.version, hit.line) == ("locked", "1.82.7", line)


def test_an_empty_lock_is_read():
    assert found("uv.lock", 'version = 1\nrequires-python = ">=3.11"\n').unread == ()


def test_a_lock_without_a_version_may_be_any():
    text = 'version = 1\n[[package]]\nname = "litellm"\nsource = { git = "https://git.example/litellm" }\n'
    assert sureness("uv.lock", text) == ["allowed"]
