"""Estimates for every objective, method and option: each moves what it is known to move."""

from typing import Any

import pytest

from tests.training_engine.test_memory import SEVEN_BILLION, STARTER, expect
from training_engine.contract.choices import Method, Objective, Optimizer, Strategy
from training_engine.contract.spec import Distributed
from training_engine.memory import Estimate

MINILM = {
    "model_type": "bert",
    "hidden_size": 384,
    "intermediate_size": 1536,
    "num_hidden_layers": 6,
    "num_attention_heads": 12,
    "max_position_embeddings": 512,
    "vocab_size": 30522,
}
T5 = {
    "model_type": "t5",
    "d_model": 512,
    "d_kv": 64,
    "d_ff": 2048,
    "num_layers": 6,
    "num_heads": 8,
    "vocab_size": 32128,
}


def part(found: Estimate, name: str) -> int:
    return next(part.size_bytes for part in found.parts if part.name == name)


def gpu(**options: Any) -> Estimate:
    return expect(SEVEN_BILLION, **{"device": "cuda", "available_bytes": 80_000_000_000, **options})


@pytest.mark.parametrize("objective", list(Objective))
@pytest.mark.parametrize("method", list(Method))
@pytest.mark.parametrize("config", [STARTER, MINILM, T5])
def test_everything_has_an_estimate(
    config: dict[str, Any], method: Method, objective: Objective
) -> None:
    found = expect(config, method=method, objective=objective)
    assert found.memory_bytes == sum(each.size_bytes for each in found.parts)
    assert found.time_low_s is not None
    assert found.time_high_s is not None
    assert found.time_low_s < found.time_high_s
    assert found.num_parameters is not None
    assert found.trainable_parameters is not None
    # A head of scores is added to what the model has.
    assert 0 < found.trainable_parameters <= found.num_parameters * 1.01


@pytest.mark.parametrize(("kind", "share"), [("nf4", 0.26), ("int8", 0.51)])
def test_quantised_weights_take_a_quarter_or_half(kind: str, share: float) -> None:
    whole = gpu(method=Method.LORA)
    packed = gpu(method=Method.QLORA, knobs={"quantization": kind})
    # Embedding, head and one unpacked matrix stay as they are.
    stays = 2 * (2 * 32000 * 4096 + 4096 * 11008)
    assert part(packed, "weights") - stays == pytest.approx(
        share * (part(whole, "weights") - stays), rel=0.03
    )
    assert packed.trainable_parameters == whole.trainable_parameters


def test_freezing_trains_the_last_layers_alone() -> None:
    two = expect(method=Method.FREEZE, knobs={"trainable_layers": 2})
    four = expect(method=Method.FREEZE, knobs={"trainable_layers": 4})
    everything = expect(method=Method.FREEZE, knobs={"trainable_layers": 1000})
    full = expect(method=Method.FULL)
    per_layer = (135_000_000 - 49152 * 576) / 30
    assert two.trainable_parameters == pytest.approx(2 * per_layer, rel=0.05)
    assert four.trainable_parameters == pytest.approx(4 * per_layer, rel=0.05)
    assert part(two, "activations") * 2 == part(four, "activations")
    assert full.trainable_parameters is not None
    assert everything.trainable_parameters is not None
    assert everything.trainable_parameters < full.trainable_parameters  # embeddings stay
    assert two.checkpoint_bytes < four.checkpoint_bytes < full.checkpoint_bytes


def test_variants_of_lora_count_what_they_add() -> None:
    plain = expect()
    dora = expect(knobs={"lora_variant": "dora"})
    pissa = expect(knobs={"lora_variant": "pissa"})
    assert plain.trainable_parameters is not None
    outputs = 30 * (576 + 192 + 192 + 576 + 1536 + 1536 + 576)
    assert dora.trainable_parameters == plain.trainable_parameters + outputs
    assert pissa.trainable_parameters == plain.trainable_parameters
    assert part(pissa, "adapters") == part(plain, "adapters") + 4 * plain.trainable_parameters
    assert dora.time_high_s is not None
    assert plain.time_high_s is not None
    assert dora.time_high_s > plain.time_high_s


def test_every_optimizer_remembers_less_than_adamw() -> None:
    state = {
        kind: part(expect(method=Method.FULL, knobs={"optimizer": kind}), "optimizer")
        for kind in Optimizer
    }
    adamw = state[Optimizer.ADAMW]
    assert adamw == 8 * 134_515_008
    assert state[Optimizer.ADAMW_8BIT] == pytest.approx(adamw / 4, rel=0.05)
    assert state[Optimizer.ADAFACTOR] < adamw / 20
    assert adamw / 2 < state[Optimizer.MUON] < adamw  # embeddings keep AdamW


def test_activations_are_bought_with_time_or_with_the_computers_memory() -> None:
    plain, again = gpu(), gpu(knobs={"gradient_checkpointing": True})
    moved = gpu(knobs={"activation_offload": True})
    assert part(again, "activations") < part(plain, "activations") / 4
    assert part(moved, "activations") < part(plain, "activations") / 4
    assert again.time_low_s is not None
    assert plain.time_low_s is not None
    assert again.time_low_s > plain.time_low_s
    on_cpu = expect(knobs={"activation_offload": True})
    assert part(on_cpu, "activations") == part(expect(), "activations")


def test_a_pair_is_two_sequences() -> None:
    answers, pairs = gpu(), gpu(objective=Objective.DPO)
    assert pairs.num_tokens == 2 * answers.num_tokens
    assert pairs.total_steps == answers.total_steps
    alone = gpu(objective=Objective.SIMPO)
    assert alone.num_tokens == pairs.num_tokens
    assert alone.time_low_s is not None
    assert pairs.time_low_s is not None
    assert alone.time_low_s < pairs.time_low_s  # nothing to compare with


def test_a_classifier_computes_no_words() -> None:
    found = expect(MINILM, objective=Objective.CLASSIFY, method=Method.FULL)
    assert part(found, "logits") == 0
    assert found.num_parameters == 22_713_216
    assert found.memory_bytes is not None
    assert found.memory_bytes < 1_500_000_000


def test_an_encoder_decoder_is_known() -> None:
    found = expect(T5, objective=Objective.SEQ2SEQ)
    assert found.exact
    assert found.num_parameters == 60_506_624


@pytest.mark.parametrize("strategy", list(Strategy))
def test_processes_on_a_cpu_each_take_memory(strategy: Strategy) -> None:
    one, two = expect(), expect(distributed=Distributed(strategy=strategy, processes=2))
    copies = 1 if strategy is Strategy.FSDP else 2
    assert part(two, "weights") == copies * part(one, "weights")
    assert part(two, "runtime") > 1.5 * part(one, "runtime")


def test_shards_make_a_model_fit_a_gpu() -> None:
    one = gpu(method=Method.FULL)
    two = gpu(method=Method.FULL, distributed=Distributed(strategy=Strategy.FSDP, processes=2))
    assert one.memory_bytes is not None
    assert two.memory_bytes is not None
    assert two.memory_bytes < 0.6 * one.memory_bytes
    assert one.time_low_s is not None
    assert two.time_low_s is not None
    assert two.time_low_s < one.time_low_s
