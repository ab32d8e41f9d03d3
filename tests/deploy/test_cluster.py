"""What is shipped to run it is hardened, names no secret's value and no registry, and calls commands that there are."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helm_python import HelmError
from helm_python.chart import Chart, lint
from ruamel.yaml import YAML
from typer.testing import CliRunner

from rotator.cli.main import app
from rotator.flow.planned import Lane

ROOT = Path(__file__).parents[2]
CHART, COMPOSE = ROOT / "deploy" / "helm" / "rotator", ROOT / "deploy" / "compose.yaml"
GIVEN = {"secrets": {"existing": "theirs", "mounted": ["aws"]}, "config": 'title = "{{ not a template }}"\n'}
GRACE_S = 30
"""A call in hand may take 25 s; then its outcome is written."""


def rendered(values):
    """Return every object of the chart, by kind."""
    with Chart.load(CHART) as chart:
        texts = chart.render(values, name="prod", namespace="ir").values()
    found = {}
    for each in (each for text in texts for each in YAML(typ="safe").load_all(text) if each):
        found.setdefault(each["kind"], []).append(each)
    return found


@pytest.fixture(scope="module")
def objects():
    return rendered(GIVEN)


@pytest.fixture(scope="module")
def services():
    return YAML(typ="safe").load(COMPOSE.read_text())["services"]


def is_called(words):
    """Hold the words against the command line's own help: the command, and each option."""
    shown = CliRunner().invoke(app, [words[0], "--help"], terminal_width=200)
    assert shown.exit_code == 0
    assert all(word in shown.output for word in words[1:] if word.startswith("--"))


def lanes_of(words):
    return [word for before, word in itertools.pairwise(words) if before == "--lane"]


def test_the_chart_has_no_fault_that_a_strict_look_finds():
    found = lint(CHART, GIVEN, strict=True)
    assert found["errors"] == []
    assert [each for each in found["messages"] if each["severity"] > 1] == []


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({}, "secrets.existing: name a Secret"),
        ({**GIVEN, "workers": {"x": {"lanes": ["bogus"], "replicas": 1}}}, "/workers/x/lanes"),
        ({**GIVEN, "workers": {}}, "workers"),
        ({**GIVEN, "bead": {"replicas": 2}}, "bead"),
        ({**GIVEN, "image": {"repository": "x", "digest": "latest"}}, "/image/digest"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(wrong, told):
    # What a chart is given stands over its own values: an empty map takes nothing away, null does.
    values = {**wrong, "workers": {"contain": None, "replace": None}} if wrong.get("workers") == {} else wrong
    with pytest.raises(HelmError, match=re.escape(told)):
        rendered(values)


def test_every_pod_of_the_chart_is_hardened(objects):
    for each in objects["Deployment"]:
        pod = each["spec"]["template"]["spec"]
        [container] = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert pod["terminationGracePeriodSeconds"] >= GRACE_S
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["requests"]
        assert container["resources"]["limits"]["memory"]
        is_called(container["args"])


def test_every_lane_has_a_worker_and_containment_one_of_its_own(objects, services):
    of_chart = [each["spec"]["template"]["spec"]["containers"][0]["args"] for each in objects["Deployment"]]
    for commands in (of_chart, [each.get("command", []) for each in services.values()]):
        lanes = [lanes_of(words) for words in commands if words[:1] == ["worker"]]
        assert [Lane.CONTAIN] in lanes
        assert {lane for some in lanes for lane in some} == {lane.value for lane in Lane}
        assert {"beat", "serve"} <= {words[0] for words in commands if words}


def test_the_web_is_probed_and_each_part_keeps_one_while_nodes_drain(objects):
    ports = {}
    for each in objects["Deployment"]:
        [container] = each["spec"]["template"]["spec"]["containers"]
        paths = [
            container[name]["httpGet"]["path"] for name in ("livenessProbe", "readinessProbe") if name in container
        ]
        ports[each["metadata"]["name"]] = paths
    assert ports.pop("prod-serve") == ["/healthz", "/readyz"]
    assert not any(ports.values())
    budgets = {each["metadata"]["name"] for each in objects["PodDisruptionBudget"]}
    assert budgets == {*ports, "prod-serve"}


def test_nobody_reaches_what_listens_on_nothing(objects):
    of_all, of_serve = sorted(objects["NetworkPolicy"], key=lambda each: each["metadata"]["name"])
    assert of_all["spec"]["ingress"] == []
    assert of_all["spec"]["policyTypes"] == ["Ingress"]
    assert "app.kubernetes.io/component" not in of_all["spec"]["podSelector"]["matchLabels"]
    assert of_serve["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "serve"
    closed = rendered({**GIVEN, "networkPolicy": {"egress": [{"ports": [{"port": 443}]}]}})["NetworkPolicy"]
    assert {"Ingress", "Egress"} in [set(each["spec"]["policyTypes"]) for each in closed]


def test_no_secrets_value_is_in_the_chart_and_the_configuration_arrives_as_it_is(objects):
    assert "Secret" not in objects
    for each in objects["Deployment"]:
        [container] = each["spec"]["template"]["spec"]["containers"]
        given = {one["name"]: one for one in container["env"]}
        assert given.pop("ROTATOR_SEAL_KEY")["value"].startswith("file:")
        assert {one["valueFrom"]["secretKeyRef"]["name"] for one in given.values()} == {"theirs"}
    [config] = objects["ConfigMap"]
    assert config["data"] == {"rotator.toml": GIVEN["config"]}


def test_an_image_is_taken_by_its_digest_where_one_is_given():
    digest = "sha256:" + "a" * 64
    found = rendered({**GIVEN, "image": {"repository": "rotator", "digest": digest}})["Deployment"]
    images = {each["spec"]["template"]["spec"]["containers"][0]["image"] for each in found}
    assert images == {f"rotator@{digest}"}


def test_every_container_of_the_compose_file_is_hardened(services):
    for name, each in services.items():
        assert "no-new-privileges:true" in each["security_opt"], name
        assert each["mem_limit"]
        if name != "postgres":  # its image makes its folder as root, and then gives that up
            assert (each["read_only"], each["cap_drop"]) == (True, ["ALL"])
            assert each["user"].split(":")[0] not in {"", "0", "root"}
        if name not in {"postgres", "redis"}:
            assert int(each["stop_grace_period"].rstrip("s")) >= GRACE_S
            is_called([str(word) for word in each["command"]])
    published = [port for each in services.values() for port in each.get("ports", [])]
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_the_compose_file_gives_secrets_by_reference_alone():
    compose = YAML(typ="safe").load(COMPOSE.read_text())
    assert all(set(each) == {"file"} for each in compose["secrets"].values())
    for each in compose["services"].values():
        for name, value in each.get("environment", {}).items():
            assert not re.search("PASSWORD|KEY", name) or "/run/secrets/" in value


def test_no_image_is_taken_from_a_host_that_we_name(objects, services):
    images = [each["image"] for each in services.values()]
    images += [each["spec"]["template"]["spec"]["containers"][0]["image"] for each in objects["Deployment"]]
    for image in images:
        name = re.sub(r"^\$\{\w+:-(.*)\}$", r"\1", image)
        assert not re.match(r"[^/]*[.:][^/]*/", name), image


def test_the_dockerfile_has_no_fault_that_hadolint_finds():
    hadolint = Path(sys.executable).with_name("hadolint")
    found = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False, timeout=60)
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_a_command_that_is_not_there_would_be_noticed():
    with pytest.raises(AssertionError):
        is_called(["worker", "--lain", "contain"])
