"""A QLoRA adapter is served on its base packed as in training; beside it the base in full."""

from pathlib import Path
from typing import Any

import pytest
import torch

from training_engine.contract.choices import Head, LoraVariant, Quantization
from training_engine.devices import Placement
from training_engine.models import load
from training_engine.models.adapter_files import AdapterFacts, save_adapter
from training_engine.models.adapters import add_lora
from training_engine.models.quantised import QUANTIZATION_FILE
from training_engine.serve.failures import ServeError
from training_engine.serve.model_store import ModelStore

CPU = Placement(torch.device("cpu"), torch.float32, "a test")
IDS = list(range(3, 40))


def trained(base: Path, folder: Path, kind: Quantization, variant: LoraVariant) -> torch.Tensor:
    """Writes an adapter; returns the scores of the model that was trained, at the last position."""
    model: Any = load.load_stock(base, CPU, Head.CAUSAL_LM, "sdpa", quantization=kind).eval()
    generator = torch.Generator().manual_seed(1)
    add_lora(model, rank=4, alpha=8, dropout=0.0, wanted="all-linear", generator=generator,
             variant=variant)  # fmt: skip
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
    folder.mkdir()
    facts = AdapterFacts("o/b", None, 4, 8, 0.0, variant, quantization=kind)
    save_adapter(folder, model, {}, facts)
    with torch.inference_mode():
        found: torch.Tensor = model(input_ids=torch.tensor([IDS])).logits[0, -1]
    return found


def answer(store: ModelStore, base: Path, adapter: Path | None) -> torch.Tensor:
    name = None if adapter is None else str(adapter)
    loaded = store.get(str(base), name)
    loaded.use(name)
    return loaded.step(name, IDS, None)[0]


@pytest.mark.parametrize("kind", Quantization)
@pytest.mark.parametrize("variant", LoraVariant)
def test_what_is_served_is_what_was_trained(
    tiny_model: Path, tmp_path: Path, kind: Quantization, variant: LoraVariant
) -> None:
    adapter = tmp_path / "adapter"
    wanted = trained(tiny_model, adapter, kind, variant)
    store = ModelStore(CPU, set)
    found = answer(store, tiny_model, adapter)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)
    plain = answer(store, tiny_model, None)
    stock = load.load_stock(tiny_model, CPU, Head.CAUSAL_LM, "sdpa").eval()
    with torch.inference_mode():
        alone = stock(input_ids=torch.tensor([IDS])).logits[0, -1]
    torch.testing.assert_close(plain, alone)
    sizes = [info.memory_bytes for info in store.describe()]
    assert len(sizes) == 2
    assert min(sizes) < 0.75 * max(sizes)
    assert store.unload(str(tiny_model)) == [str(tiny_model.resolve())]
    assert not store.describe()


def test_a_packing_that_is_not_known_is_refused(tiny_model: Path, adapter: Path) -> None:
    path = adapter / QUANTIZATION_FILE
    path.write_text('{"load_in_2bit": true}')
    try:
        with pytest.raises(ServeError) as refused:
            ModelStore(CPU, set).get(str(tiny_model), str(adapter))
    finally:
        path.unlink()
    assert refused.value.code == "adapter_not_supported"
