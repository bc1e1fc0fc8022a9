"""One tiny model for each kind of head."""

from pathlib import Path

import pytest

from tests.training_engine.objectives.models import build_tiny_bert, build_tiny_t5


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_bert(tmp_path_factory.mktemp("models") / "bert")


@pytest.fixture(scope="session")
def tiny_t5(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_t5(tmp_path_factory.mktemp("models") / "t5")
