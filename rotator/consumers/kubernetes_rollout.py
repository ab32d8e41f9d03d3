"""Restart a workload of a Kubernetes cluster, as `kubectl rollout restart` does, and wait until its pods are new.

A restart marks the pods' template with the annotation that kubectl uses, and the cluster replaces the pods one after
the other. They are new when the cluster has seen the mark (`observedGeneration`) and every pod is of the new template
and available. That says nothing of what a pod read: which credential it holds is not told.
The rotator's own credential needs get and patch on the workload.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rotator import clock
from rotator.errors import BadInput, Rejected, Unavailable
from rotator.families.kubernetes import Kubernetes, is_absent, path_of, told
from rotator.ports.connection import Connection
from rotator.ports.consumer import Consumer, Notice, Told

FAMILY = "kubernetes"

_MARK = "kubectl.kubernetes.io/restartedAt"
_STRATEGIC = "application/strategic-merge-patch+json"
_GROUP = "/apis/apps/v1"
_SORTS = {"deployment": "deployments", "statefulset": "statefulsets", "daemonset": "daemonsets"}
_LOOK_AGAIN_S = 5.0


def connect(connection: Connection, address: Sequence[str]) -> Consumer:
    """Return the workload NAMESPACE/SORT/NAME. Raises BadInput where that is none."""
    namespace, sort, name = (*address[0].split("/"), "", "", "")[:3]
    if sort not in _SORTS or not namespace or not name or address[0].count("/") != 2:  # noqa: PLR2004 - three parts
        raise BadInput(
            f"`{address[0]}` is no workload", "consumers: kubernetes_rollout", "write NAMESPACE/deployment/NAME"
        )
    return KubernetesRollout(connection, address[0], path_of(_SORTS[sort], namespace, name, _GROUP))


class KubernetesRollout:
    """One workload."""

    def __init__(self, connection: Connection, workload: str, path: str) -> None:
        self.name = f"{connection.name}: {workload}"
        self._cluster, self._path = Kubernetes(connection), path

    def reload(self, notice: Notice) -> Told:  # noqa: ARG002 - a restart is the same whatever changed
        """Begin a restart. Telling it again restarts it again. Raises Uncertain when it may have begun."""
        now = datetime.fromtimestamp(clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        mark = {"spec": {"template": {"metadata": {"annotations": {_MARK: now}}}}}
        reply = self._cluster.change("PATCH", self._path, mark, _STRATEGIC)
        if is_absent(reply):
            raise Rejected("no_such_consumer", self.name)
        return Told(f"restarted at {now}, generation {told(reply)['metadata']['generation']}")

    def holding(self, notice: Notice) -> Told:  # noqa: ARG002 - a pod does not say what it read
        """Say that every pod is new. Raises Unavailable("rolling_out") before that."""
        reply = self._cluster.read(self._path)
        if is_absent(reply):
            raise Rejected("no_such_consumer", self.name)
        found = told(reply)
        wanted, new, available, seen = _counted(found)
        if not seen or new < wanted or available < wanted or _lingering(found, wanted):
            raise Unavailable("rolling_out", f"{self.name}: {new} of {wanted} pods are new", _LOOK_AGAIN_S)
        return Told(f"{new} of {wanted} pods are new and available")


def _counted(found: Mapping[str, Any]) -> tuple[int, int, int, bool]:
    """Return how many pods are wanted, new and available, and whether the cluster has seen the last change."""
    spec, status = found.get("spec") or {}, found.get("status") or {}
    seen = int(status.get("observedGeneration") or 0) >= int(found["metadata"].get("generation") or 0)
    if "desiredNumberScheduled" in status:  # a DaemonSet counts by nodes
        wanted = int(status["desiredNumberScheduled"])
        return wanted, int(status.get("updatedNumberScheduled") or 0), int(status.get("numberAvailable") or 0), seen
    wanted = int(spec.get("replicas", 1))
    return wanted, int(status.get("updatedReplicas") or 0), int(status.get("availableReplicas") or 0), seen


def _lingering(found: Mapping[str, Any], wanted: int) -> bool:
    """Tell whether pods of the old template are still there beside the new ones."""
    return int((found.get("status") or {}).get("replicas") or wanted) > wanted
