"""The worker executes a model's own program only when its hash came with the request."""

from pathlib import Path

import pytest

from tests.training_engine.models.test_trusted_code import CPU, own_code
from training_engine.contract.model_folder import code_sha256
from training_engine.serve.failures import ServeError
from training_engine.serve.model_store import ModelStore

__all__ = ["own_code"]


def test_only_the_program_that_was_allowed(own_code: Path) -> None:
    store = ModelStore(CPU, set)
    with pytest.raises(ServeError) as refused:
        store.get(str(own_code))
    assert refused.value.code == "unsafe_model"
    allowed = code_sha256(own_code)
    loaded = store.get(str(own_code), None, allowed)
    assert type(loaded.model).__name__ == "TwiceForCausalLM"
    assert store.get(str(own_code), None, allowed) is loaded
    with (own_code / "modeling_twice.py").open("a") as file:
        file.write("\n# changed\n")
    with pytest.raises(ServeError) as changed:
        store.get(str(own_code), None, allowed)
    assert changed.value.code == "unsafe_model"
