"""NEFTune's noise reaches what a model reads, in the size that the paper gives, and no more."""

from typing import Any

import pytest
import torch
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    T5Config,
    T5ForConditionalGeneration,
)

from training_engine.data.packing import PackedRow
from training_engine.models.forward import EncoderDecoder
from training_engine.models.neftune import Neftune

WIDTH, ALPHA = 32, 5.0


def t5() -> Any:
    config = T5Config(
        vocab_size=64, d_model=WIDTH, d_kv=16, d_ff=64, num_layers=1, num_heads=2, dropout_rate=0,
        decoder_start_token_id=0,
    )  # fmt: skip
    return T5ForConditionalGeneration(config)


def bart(*, shared: bool = False) -> Any:
    config = BartConfig(
        vocab_size=64, d_model=WIDTH, encoder_layers=1, decoder_layers=1, encoder_ffn_dim=64,
        decoder_ffn_dim=64, encoder_attention_heads=2, decoder_attention_heads=2, dropout=0,
    )  # fmt: skip
    model = BartForConditionalGeneration(config)
    if shared:  # one module for all, as after a change of the vocabulary
        model.set_input_embeddings(model.get_input_embeddings())
    return model


@pytest.mark.parametrize("build", [t5, bart, lambda: bart(shared=True)], ids=["t5", "bart", "one"])
def test_an_encoder_reads_with_noise_and_a_decoder_without(build: Any) -> None:
    torch.manual_seed(0)
    model = build().train()
    noise = Neftune(model, ALPHA)
    seen: dict[str, torch.Tensor] = {}
    for name, stack in (("encoder", model.get_encoder()), ("decoder", model.get_decoder())):
        stack.get_input_embeddings().register_forward_hook(
            lambda module, inputs, out, name=name: seen.setdefault(
                f"{name} {len(inputs[0][0])}", out.detach()
            )
        )
    source, target = torch.arange(4, 16).view(2, 6), torch.arange(20, 30).view(2, 5)
    noise.lengths = (6, 6)
    model(input_ids=source, decoder_input_ids=target, use_cache=False)
    noisy = dict(seen)
    seen.clear()
    model.eval()(input_ids=source, decoder_input_ids=target, use_cache=False)
    added = (noisy["encoder 6"] - seen["encoder 6"]).abs().max()
    size = ALPHA / (6 * WIDTH) ** 0.5
    assert 0.8 * size < added <= size
    assert torch.equal(noisy["decoder 5"], seen["decoder 5"])


def test_a_translator_learns_with_noise() -> None:
    """Through the call that training makes, whose rows hold sources and targets in turn."""
    torch.manual_seed(0)
    model = t5().train()
    ids = torch.arange(4, 24)[None]
    row = PackedRow(
        input_ids=ids, position_ids=ids, lengths=(5, 4, 7, 4), predicting=ids[0, :0],
        targets=ids[0, :0], owner=ids[0, :0], samples=(0, 1),
    )  # fmt: skip
    plain = EncoderDecoder(model, packed=False).cross_entropy(row)
    noisy = EncoderDecoder(model, packed=False, neftune=ALPHA).cross_entropy(row)
    assert plain.item() != noisy.item()
