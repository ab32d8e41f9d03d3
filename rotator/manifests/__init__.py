"""Manifests of datasets: what is there, in one canonical form, and what differs from what was recorded."""
