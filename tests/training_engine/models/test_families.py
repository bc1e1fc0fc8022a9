"""Model families: one packed row gives what stock transformers gives for each sample alone."""

from typing import Any

import pytest
import torch

from training_engine.data.packing import PackedRow
from training_engine.models import attention, load
from training_engine.models.forward import Decoder

SHAPE = {
    "vocab_size": 99,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
FAMILIES: dict[str, dict[str, Any]] = {
    "llama": {},
    "mistral": {"sliding_window": 6},
    "qwen2": {"tie_word_embeddings": True},
    "qwen3": {"head_dim": 16},
    "smollm3": {"no_rope_layers": [1, 0]},
    "phi3": {"sliding_window": 6},
    "olmo2": {},
}
LENGTHS = (9, 1, 14)


def make(family: str, implementation: str, **more: Any) -> Any:
    from transformers import AutoConfig, AutoModelForCausalLM

    attention.register()
    torch.manual_seed(0)
    config = AutoConfig.for_model(family, **{**SHAPE, **FAMILIES.get(family, {}), **more})
    model = AutoModelForCausalLM.from_config(config, attn_implementation=implementation)
    return model.eval()


def row() -> PackedRow:
    generator = torch.Generator().manual_seed(1)
    total = sum(LENGTHS)
    return PackedRow(
        input_ids=torch.randint(3, 99, (1, total), generator=generator),
        position_ids=torch.cat([torch.arange(n) for n in LENGTHS])[None],
        lengths=LENGTHS,
        predicting=torch.tensor([2, 7, 9, 20, 23]),
        targets=torch.randint(3, 99, (5,), generator=generator),
        owner=torch.tensor([0, 0, 1, 2, 2]),
        samples=(0, 1, 2),
    )


def stock_loss(model: Any, packed: PackedRow) -> torch.Tensor:
    """Each sample through the unchanged model with its own head and loss."""
    total, start = torch.zeros(()), 0
    for length in packed.lengths:
        logits = model(packed.input_ids[:, start : start + length]).logits[0].float()
        for place, target in zip(packed.predicting, packed.targets, strict=True):
            if start <= place < start + length:
                total = total + torch.nn.functional.cross_entropy(logits[place - start], target)
        start += length
    return total


def test_every_known_family_is_tested() -> None:
    assert set(FAMILIES) == load.KNOWN_FAMILIES


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_loss_and_gradients_equal_the_stock_model(family: str) -> None:
    ours, stock = make(family, attention.NAME), make(family, "eager")
    packed = row()
    loss = Decoder(ours, packed=True).cross_entropy(packed)
    wanted = stock_loss(stock, packed)
    torch.testing.assert_close(loss, wanted, rtol=1e-5, atol=1e-5)
    loss.backward()
    wanted.backward()
    expected = dict(stock.named_parameters())
    for name, parameter in ours.named_parameters():
        if expected[name].grad is not None:
            torch.testing.assert_close(
                parameter.grad, expected[name].grad, rtol=1e-4, atol=1e-5, msg=name
            )


def test_a_family_that_caps_its_logits_keeps_its_own_head() -> None:
    """Gemma 2: attention that ours does not compute, logits that are squeezed after the head."""
    packed = row()
    model = make("gemma2", attention.NAME, head_dim=8, query_pre_attn_scalar=8)
    assert not load.packing_works(model)
    load.set_attention(model, "eager")
    single = PackedRow(
        packed.input_ids[:, :9],
        packed.position_ids[:, :9],
        (9,),
        packed.predicting[:2],
        packed.targets[:2],
        packed.owner[:2],
        (0,),
    )
    loss = Decoder(model, packed=False).cross_entropy(single)
    logits = model(single.input_ids).logits[0, single.predicting].float()
    wanted = torch.nn.functional.cross_entropy(logits, single.targets, reduction="sum")
    torch.testing.assert_close(loss, wanted)
    assert model.config.final_logit_softcapping


@pytest.mark.parametrize("setting", ["none", "known", "unknown"])
def test_what_is_done_to_logits_after_the_head_is_found_out(setting: str) -> None:
    """Settings that are known by name, and whatever else a model does: tried on a short text."""
    model = make("llama", attention.NAME)
    if setting == "known":
        model.config.lm_head_multiplier = 0.04
    if setting == "unknown":
        forward = model.forward

        def twice(*args: Any, logits_to_keep: Any = 0, **options: Any) -> Any:
            out = forward(*args, logits_to_keep=logits_to_keep, **options)
            out.logits = 2 * out.logits
            return out

        model.forward = twice
    suffices = Decoder(model, packed=True).plain_head_suffices()
    assert suffices == (setting == "none")
    assert not model.training
    model.plain_head = suffices
    loss = Decoder(model, packed=True).cross_entropy(row())
    if setting == "unknown":
        load.set_attention(model, "eager")
        torch.testing.assert_close(loss, stock_loss(model, row()), rtol=1e-5, atol=1e-5)


def test_a_family_with_a_multiplied_head_learns_its_own_loss() -> None:
    """Falcon-H1 multiplies its logits by a setting."""
    sizes = {"mamba_d_ssm": 32, "mamba_n_heads": 4, "mamba_d_head": 8, "mamba_d_state": 8}
    model = make("falcon_h1", "eager", lm_head_multiplier=0.5, mamba_chunk_size=8, **sizes)
    packed = row()
    loss = Decoder(model, packed=False).cross_entropy(packed)
    torch.testing.assert_close(loss, stock_loss(model, packed), rtol=1e-4, atol=1e-4)


def test_an_unknown_family_is_tried_before_it_is_packed() -> None:
    assert load.packing_works(make("granite", attention.NAME))
