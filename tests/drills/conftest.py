"""One platform for all drills of a file; each drill finds it as usual."""

from collections.abc import Iterator

import pytest

from tests.drills.platform import Platform


@pytest.fixture(scope="session")
def yard() -> Iterator[Platform]:
    """Built once: folder, database server, first user, model and data."""
    platform = Platform()
    try:
        platform.start()
        platform.set_up()
        yield platform
    finally:
        platform.close()


@pytest.fixture
def platform(yard: Platform) -> Iterator[Platform]:
    """Ready, with nothing armed; put right again after the drill."""
    if not yard.alive:
        yard.start()
    yield yard
    for process in yard.descendants():
        process.kill()
    yard.as_usual()
