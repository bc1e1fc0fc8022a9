"""A tiny model for the whole session, and runs of it inside the test's own process."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.tiny_model import build_tiny_model


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny random Llama."""
    return build_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session", autouse=True)
def _libraries_stay() -> None:
    """Each run collects garbage several times; it need not look through all of torch every time."""
    import transformers

    assert transformers.LlamaForCausalLM
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _few_threads() -> Iterator[None]:
    """Tests share the machine; what a run sets for itself ends with the test."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
    torch.use_deterministic_algorithms(False)
