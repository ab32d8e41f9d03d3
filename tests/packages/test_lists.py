"""What each list says, where its format leaves a choice: requirements, freezes, bills of materials."""

from __future__ import annotations

import json

import pytest

from rotator.packages.advisory import spec
from tests.packages.world import found, sureness, told


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
