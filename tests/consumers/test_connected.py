"""Consumers that are reached through a connection are found by their kind, and by a connection of the right family."""

from __future__ import annotations

import pytest

from rotator.errors import BadInput
from rotator.outside import Outside
from rotator.settings.configuration import Settings

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKkgMBYM0TTzJl0CO6Y3G1k0eCvLwDlqZqS3mY1hN3iV"
CONNECTIONS = [
    {"name": "web", "family": "ssh", "hosts": ["Web1=192.0.2.1"], "user": "deploy", "known_hosts": f"192.0.2.1 {KEY}"},
    {"name": "prod", "family": "kubernetes", "endpoint_url": "https://192.0.2.2:6443"},
    {"name": "aws", "family": "aws"},
]


def made(**consumer):
    entry = {"match": {"owner": "ci"}, "consumers": [consumer]}
    settings = Settings(connections=CONNECTIONS, credentials=[entry])
    [address] = settings.credentials[0].custody().consumers
    return address, Outside(settings, {}).consumer(address)


@pytest.mark.parametrize(
    ("given", "shown", "name"),
    [
        (
            {"ssh_command": ["reload", "a b"], "connection": "web", "host": "Web1"},
            "ssh_command web web1 reload a b",
            "deploy@Web1: reload 'a b'",
        ),
        (
            {"systemd_unit": "shop.service", "connection": "web", "host": "web1"},
            "systemd_unit web web1 shop.service",
            "root@Web1: shop.service",
        ),
        ({"systemd_unit": "shop.service"}, "systemd_unit shop.service", "this machine: shop.service"),
        (
            {"kubernetes_rollout": "shop/deployment/api", "connection": "prod"},
            "kubernetes_rollout prod shop/deployment/api",
            "prod: shop/deployment/api",
        ),
        ({"ecs_deployment": "shop/api", "connection": "aws"}, "ecs_deployment aws shop/api", "aws: shop/api"),
    ],
)
def test_each_is_made_from_its_settings(given, shown, name):
    address, consumer = made(**given)
    assert (address.name, consumer.name) == (shown, name)


def test_a_connection_of_another_family_is_one_clear_line():
    with pytest.raises(BadInput, match="ecs_deployment needs a connection of the family aws"):
        made(ecs_deployment="shop/api", connection="prod")
