"""Estimates for every objective, method and option: each moves what it is known to move."""

from typing import Any

import pytest

from tests.training_engine.test_memory import SEVEN_BILLION, STARTER, expect
from training_engine.contract.choices import Method, Objective, Optimizer, Strategy
from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.contract.spec import Distributed
from training_engine.memory import Estimate, flops_shown

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


def sizes(found: Estimate) -> dict[str, int]:
    return {part.name: part.size_bytes for part in found.parts}


# As much at once, however many processes share a step.
MICRO = {"micro_batch_size": 2}
# Spread layers are stock ones, as they are where nothing is packed.
STOCK = {"packing": False}
LEARNT = {"masters", "gradients", "optimizer"}
# Bytes of the starter's embedding, last norm and two layers, which every process puts together.
TOGETHER = 2 * (49152 * 576 + 576 + 2 * (2 * 576 * (576 + 192) + 3 * 576 * 1536 + 2 * 576))


@pytest.mark.parametrize(
    ("strategy", "method", "cut"),
    [
        (Strategy.DDP, Method.LORA, set()),
        (Strategy.DDP, Method.FULL, set()),
        (Strategy.FSDP, Method.LORA, {"weights"}),  # an adapter stays whole
        (Strategy.FSDP, Method.FULL, {"weights", *LEARNT}),
    ],
)
def test_processes_on_a_cpu_each_take_memory(
    strategy: Strategy, method: Method, cut: set[str]
) -> None:
    how = STOCK if strategy is Strategy.FSDP else {}
    one = sizes(expect(method=method, knobs=MICRO | how))
    shared = Distributed(strategy=strategy, processes=2)
    two = sizes(expect(method=method, knobs=MICRO, distributed=shared))
    wanted = {name: size * (1 if name in cut else 2) for name, size in one.items()}
    wanted["weights"] += 2 * TOGETHER if cut else 0
    assert two == pytest.approx(wanted, abs=1)  # halves are rounded up


def test_a_gpu_holds_a_slice_of_the_base_and_the_whole_adapter() -> None:
    one = sizes(gpu(knobs=MICRO))
    two = sizes(gpu(knobs=MICRO, distributed=Distributed(strategy=Strategy.FSDP, processes=2)))
    layer = 4 * 4096**2 + 3 * 4096 * 11008 + 2 * 4096
    together = 2 * (2 * 32000 * 4096 + 4096 + 2 * layer)
    assert two == {**one, "weights": one["weights"] // 2 + together}


def test_spread_layers_take_the_time_of_stock_ones() -> None:
    """Also what such a run has shown of its host is told so."""
    spread = Distributed(strategy=Strategy.FSDP, processes=2)
    copies = Distributed(strategy=Strategy.DDP, processes=2)
    known: dict[str, Any] = {"host_flops": 2e11, "computed": lambda _: 0.5}
    stock = expect(knobs=STOCK, **known)
    assert expect(distributed=spread, **known).time_s == stock.time_s
    assert expect(distributed=copies, **known).time_s == expect(**known).time_s != stock.time_s
    ran: dict[str, Any] = {
        "tokens_per_s": 300.0, "objective": Objective.SFT, "method": Method.LORA,
        "mean_tokens": 84, "device": "cpu", "dtype": "bfloat16", "computed": lambda _: 0.5,
    }  # fmt: skip
    plain, unpacked = Hyperparameters(), Hyperparameters(**STOCK)
    shown = flops_shown(STARTER, hyperparameters=plain, distributed=spread, **ran)
    assert shown == flops_shown(STARTER, hyperparameters=unpacked, **ran)
    assert shown != flops_shown(STARTER, hyperparameters=plain, distributed=copies, **ran)


def test_processes_of_a_cpu_share_what_is_free() -> None:
    little: dict[str, Any] = {"available_bytes": 1_600_000_000, "longest_tokens": 200}
    one, two = (
        expect(knobs={"batch_size": 16 * count}, distributed=Distributed(processes=count), **little)
        for count in (1, 2)
    )
    assert two.micro_batch_size < one.micro_batch_size


def test_shards_make_a_model_fit_a_gpu() -> None:
    one = gpu(method=Method.FULL)
    two = gpu(method=Method.FULL, distributed=Distributed(strategy=Strategy.FSDP, processes=2))
    assert one.memory_bytes is not None
    assert two.memory_bytes is not None
    assert two.memory_bytes < 0.6 * one.memory_bytes
    assert one.time_low_s is not None
    assert two.time_low_s is not None
    assert two.time_low_s < one.time_low_s
