from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import pytest

from rotator.flow.exposure import Exposure
from rotator.intake.reading import read
from tests.intake.planted import SAMPLES


@pytest.fixture(scope="session")
def sample() -> Callable[[str], bytes]:
    return lambda name: (SAMPLES / name).read_bytes()


@pytest.fixture(scope="session")
def exposures() -> Callable[..., list[Exposure]]:
    def reading(text: bytes, name: str = "report") -> list[Exposure]:
        found: Iterator[Exposure] = read(name, io.BytesIO(text))
        return list(found)

    return reading
