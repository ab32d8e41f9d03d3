"""Have an ECS service of AWS start its tasks anew, and wait until the deployment is through.

A task reads its secrets when it starts, so a new deployment of the same task definition is what makes it read them
again. ECS says how far that is (`rolloutState`); which credential a task holds, it does not say. A service that another
deployment controller rolls out (CodeDeploy, external) is refused by AWS.
The rotator's own credential needs ecs:UpdateService and ecs:DescribeServices.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rotator.errors import BadInput, Rejected, Unavailable
from rotator.families.aws import Account, Exchange, moment
from rotator.ports.connection import Connection
from rotator.ports.consumer import Consumer, Notice, Told

FAMILY = "aws"

_LOOK_AGAIN_S = 10.0


def connect(connection: Connection, address: Sequence[str]) -> Consumer:
    """Return the service CLUSTER/SERVICE. Raises BadInput where that is none."""
    cluster, _, service = address[0].partition("/")
    if not cluster or not service or "/" in service:
        raise BadInput(f"`{address[0]}` is no service", "consumers: ecs_deployment", "write CLUSTER/SERVICE")
    return EcsDeployment(connection, cluster, service)


class EcsDeployment:
    """One service."""

    def __init__(self, connection: Connection, cluster: str, service: str) -> None:
        self.name = f"{connection.name}: {cluster}/{service}"
        self._account, self._cluster, self._service = Account(connection), cluster, service

    def reload(self, notice: Notice) -> Told:  # noqa: ARG002 - a deployment is the same whatever changed
        """Begin a deployment. Telling it again begins another. Raises Uncertain when it may have begun."""
        answer = self._account.exchange().change(
            "ecs", "update_service", cluster=self._cluster, service=self._service, forceNewDeployment=True
        )
        found = self._primary(answer["service"])
        return Told(f"deployment {found['id']} begun at {moment(found['createdAt'])}")

    def holding(self, notice: Notice) -> Told:  # noqa: ARG002 - a task does not say what it read
        """Say that the last deployment is through. Raises Unavailable before that, Rejected where it failed."""
        found = self._primary(self._described(self._account.exchange()))
        state, running, wanted = found.get("rolloutState"), found.get("runningCount", 0), found.get("desiredCount", 0)
        if state == "FAILED":
            raise Rejected("rollout_failed", f"{self.name}: deployment {found['id']}")
        if state != "COMPLETED":
            raise Unavailable("rolling_out", f"{self.name}: {running} of {wanted} tasks are new", _LOOK_AGAIN_S)
        return Told(f"deployment {found['id']} completed, {running} of {wanted} tasks are new")

    def _described(self, exchange: Exchange) -> Any:
        answer = exchange.read("ecs", "describe_services", cluster=self._cluster, services=[self._service])
        if not answer["services"]:
            raise Rejected("no_such_consumer", self.name)
        return answer["services"][0]

    def _primary(self, service: Any) -> Any:
        found = next((each for each in service.get("deployments", []) if each["status"] == "PRIMARY"), None)
        if found is None:
            raise Rejected("no_such_consumer", f"{self.name} has no deployment of its own")
        return found
