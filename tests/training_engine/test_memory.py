"""Estimates: counted against real runs, consistent with the engine's own plan, cheap to import."""

import json
import subprocess
import sys
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from training_engine.contract.choices import Method, Objective
from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.data.encode import EncodedSet
from training_engine.data.order import held_out
from training_engine.duration import evaluation_interval, length_of
from training_engine.memory import Estimate, estimate, flops_shown
from training_engine.plan import make

STARTER = {
    "model_type": "llama",
    "hidden_size": 576,
    "intermediate_size": 1536,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "vocab_size": 49152,
    "tie_word_embeddings": True,
}
SEVEN_BILLION = {
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "vocab_size": 32000,
}


def expect(config: dict[str, Any] = STARTER, **options: Any) -> Estimate:
    knobs = options.pop("knobs", {})
    values: dict[str, Any] = {
        "method": Method.LORA,
        "num_rows": 1000,
        "mean_tokens": 150,
        "hyperparameters": Hyperparameters(**knobs),
    }
    return estimate(config, **{**values, **options})


# Peak memory in GB of runs of 6 to 40 steps with the starter model on a CPU, as the run host
# reported it (`make bench-estimates`): tokens of the mean row, what differs from the default.
# Shares of tokens that were computed, of eight rows that begin with the same system message.
CHAT, SHORT, PAIRS = ({"computed": lambda _, share=share: share} for share in (0.82, 0.72, 0.56))
MEASURED: list[tuple[str, int, dict[str, Any], dict[str, Any], float]] = [
    ("LoRA", 86, {}, CHAT, 1.32),
    ("rank 64", 86, {"lora_rank": 64, "batch_size": 16}, CHAT, 1.94),
    ("long rows", 2048, {"max_length": 2048, "batch_size": 2, "max_steps": 6}, {}, 2.63),
    ("short rows", 62, {"max_steps": 40}, SHORT, 1.24),
    ("checkpointing", 86, {"gradient_checkpointing": True}, CHAT, 1.21),
    ("dropout", 86, {"lora_dropout": 0.05}, CHAT, 1.96),
    ("DoRA", 86, {"lora_variant": "dora"}, CHAT, 1.83),
    ("QLoRA", 86, {"max_steps": 8}, CHAT | {"method": Method.QLORA}, 1.47),
    ("full", 86, {}, CHAT | {"method": Method.FULL}, 3.97),
    ("freeze", 86, {}, CHAT | {"method": Method.FREEZE}, 1.23),
    ("DPO", 58, {"max_length": 256}, PAIRS | {"objective": Objective.DPO}, 1.24),
    ("plain text", 56, {}, {"objective": Objective.PRETRAIN}, 1.28),
]


@pytest.mark.parametrize(
    ("mean", "knobs", "options", "peak"), [pytest.param(*rest, id=name) for name, *rest in MEASURED]
)
def test_memory_is_what_real_runs_needed(
    mean: int, knobs: dict[str, Any], options: dict[str, Any], peak: float
) -> None:
    usual = {"max_length": 512, "max_steps": 16, "evaluation_fraction": 0.05}
    found = expect(
        num_rows=1362,
        mean_tokens=mean,
        knobs={**usual, **knobs},
        available_bytes=22_000_000_000,
        **options,
    )
    assert found.memory_bytes == pytest.approx(peak * 1e9, rel=0.1)


def test_parts_add_up_and_name_everything() -> None:
    found = expect()
    assert found.memory_bytes == sum(part.size_bytes for part in found.parts)
    assert [part.name for part in found.parts] == [
        "weights",
        "adapters",
        "gradients",
        "optimizer",
        "activations",
        "logits",
        "runtime",
    ]
    assert found.num_parameters == 134_515_008
    assert found.trainable_parameters == 4_884_480


def test_full_tuning_needs_more_and_writes_more() -> None:
    lora, full = expect(), expect(method=Method.FULL)
    assert full.memory_bytes is not None
    assert lora.memory_bytes is not None
    assert full.memory_bytes > lora.memory_bytes
    assert full.checkpoint_bytes > 10 * lora.checkpoint_bytes
    assert full.trainable_parameters == full.num_parameters
    assert full.output_bytes > 2 * 134_000_000


@pytest.mark.parametrize(
    ("change", "grows"),
    [
        ({"knobs": {"lora_rank": 64}}, True),
        ({"knobs": {"target_modules": ["q_proj"]}}, False),
        ({"dtype": "float32"}, True),
        ({"mean_tokens": 600, "knobs": {"micro_batch_size": 8}}, True),
        ({"mean_tokens": 40}, False),
        ({"knobs": {"batch_size": 2}}, False),
    ],
)
def test_every_choice_moves_the_memory_the_right_way(change: dict[str, Any], grows: bool) -> None:
    base, changed = expect().memory_bytes, expect(**change).memory_bytes
    assert base is not None
    assert changed is not None
    assert (changed > base) == grows


@pytest.mark.parametrize(
    ("available", "fits"),
    [(64_000_000_000, "fits"), (17_000_000_000, "tight"), (8_000_000_000, "will_not_fit")],
)
def test_whether_it_fits_is_said_with_numbers(available: int, fits: str) -> None:
    found = expect(SEVEN_BILLION, available_bytes=available, mean_tokens=10, longest_tokens=20)
    assert found.memory_bytes is not None
    assert found.fits == fits
    told = [reason for reason in found.reasons if reason.code.startswith("memory_")]
    assert len(told) == (fits != "fits")
    for reason in told:
        assert reason.params == {
            "needed_bytes": found.memory_bytes,
            "available_bytes": available,
        }


def test_little_memory_means_fewer_samples_at_once() -> None:
    knobs = {"batch_size": 16}
    plenty = expect(available_bytes=64_000_000_000, knobs=knobs)
    little = expect(available_bytes=1_600_000_000, longest_tokens=200, knobs=knobs)
    asked = expect(available_bytes=1_600_000_000, knobs={**knobs, "micro_batch_size": 16})
    gpu = expect(device="cuda", available_bytes=64_000_000_000, knobs=knobs)
    # A CPU gains nothing from more.
    assert little.micro_batch_size < plenty.micro_batch_size < gpu.micro_batch_size == 16
    assert asked.micro_batch_size == 16
    assert asked.memory_bytes is not None
    assert little.memory_bytes is not None
    assert little.memory_bytes < asked.memory_bytes


def test_nothing_is_known_of_a_config_without_sizes() -> None:
    found = expect({"model_type": "mystery"}, weights_bytes=1000, available_bytes=10**12)
    assert found.fits == "unknown"
    assert found.memory_bytes is None
    assert found.time_high_s is None
    assert found.total_steps == 357
    assert [reason.code for reason in found.reasons] == ["sizes_unknown"]


def test_an_unknown_family_is_sized_by_its_files_and_says_so() -> None:
    unknown = STARTER | {"model_type": "brand_new", "dtype": "bfloat16"}
    found = expect(unknown, weights_bytes=500_000_000)
    assert found.num_parameters == 250_000_000
    assert not found.exact
    assert "approximate_sizes" in [reason.code for reason in found.reasons]


def test_what_is_known_of_the_host_narrows_the_time() -> None:
    guess, tried, known = expect(), expect(host_flops=2e11), expect(measured_flops=2e11)
    width = [times(each)[2] / times(each)[0] for each in (guess, tried, known)]
    assert width == sorted(width, reverse=True)
    assert len(set(width)) == 3
    low, expected, high = times(known)
    assert low < expected < high
    codes = [[reason.code for reason in each.reasons] for each in (guess, tried, known)]
    assert ["time_not_measured" in each for each in codes] == [True, False, False]


def test_a_host_of_twice_the_speed_takes_half_the_time() -> None:
    slow, fast = (times(expect(host_flops=flops))[1] for flops in (1e11, 2e11))
    around = 2 * fast - slow  # what does not depend on it: start and end
    assert 5 < around < 30
    # Layers without kernels of their own, and learning everything, take longer.
    stock = times(expect(host_flops=2e11, knobs={"lora_dropout": 0.1}))[1]
    full = times(expect(host_flops=2e11, method=Method.FULL))[1]
    assert fast < stock < full


def test_a_slow_interpreter_takes_longer_around_the_steps() -> None:
    """Start, end and answers; what is learnt takes as long."""
    known: dict[str, Any] = {"host_flops": 2e11}
    usual = times(expect(**known))
    slow, slower = (times(expect(**known, host_layer_s=each)) for each in (3e-3, 6e-3))
    assert usual[1] < slow[1] < slower[1] < 3 * usual[1]
    assert slow[2] - slow[0] == pytest.approx(slower[2] - slower[0])


def test_a_run_tells_how_long_others_of_its_model_take() -> None:
    """Learning everything, where a run of an adapter was measured, and the reverse."""
    shown = {
        method: flops_shown(
            STARTER,
            tokens_per_s=tokens_per_s,
            objective=Objective.SFT,
            method=method,
            hyperparameters=Hyperparameters(),
            mean_tokens=84,
            device="cpu",
            dtype="bfloat16",
        )
        # The same host, with the same conversations.
        for method, tokens_per_s in ((Method.LORA, 357.0), (Method.FULL, 195.0))
    }
    assert shown[Method.LORA] == pytest.approx(shown[Method.FULL], rel=0.15)
    assert flops_shown(
        {"model_type": "mystery"},
        tokens_per_s=1.0,
        objective=Objective.SFT,
        method=Method.LORA,
        hyperparameters=Hyperparameters(),
        mean_tokens=84,
        device="cpu",
        dtype="bfloat16",
    ) is None  # fmt: skip


def times(found: Estimate) -> tuple[float, float, float]:
    assert found.time_low_s is not None
    assert found.time_s is not None
    assert found.time_high_s is not None
    return found.time_low_s, found.time_s, found.time_high_s


@given(
    rows=st.integers(1, 3000),
    batch=st.integers(1, 64),
    epochs=st.floats(0.1, 5),
    max_steps=st.none() | st.integers(1, 400),
    fraction=st.sampled_from([0.0, 0.05, 0.3]),
)
def test_steps_are_those_the_engine_plans(
    rows: int, batch: int, epochs: float, max_steps: int | None, fraction: float
) -> None:
    knobs = Hyperparameters(
        batch_size=batch, epochs=epochs, max_steps=max_steps, evaluation_fraction=fraction
    )
    held = len(held_out(knobs.seed, rows, fraction))
    plan = make(knobs, of_one_token(rows - held), of_one_token(held))
    length = length_of(rows, 0, 10, knobs)
    assert length.steps == plan.total_steps
    assert length.tokens == plan.total_samples * 10
    assert length.evaluations == (1 + plan.evaluations_after(0) if held else 0)
    due = sum(map(plan.saves, range(1, plan.total_steps + 1)))
    assert due / 2 - 1 <= length.saves <= due
    # Each sample that is seen at all, and what is held out.
    assert length.different_tokens == 10 * (min(plan.total_samples, rows - held) + held)


def test_checkpoints_of_all_weights_take_time() -> None:
    knobs = ({"save_steps": each, "evaluation_fraction": 0.0} for each in (1000, 1))
    few, many = (times(expect(knobs=each, method=Method.FULL))[1] for each in knobs)
    assert many > few + 60


def of_one_token(samples: int) -> EncodedSet:
    return EncodedSet(
        tokens=torch.zeros(samples, dtype=torch.int32),
        trained=torch.ones(samples, dtype=torch.bool),
        bounds=list(range(samples + 1)),
        lines=list(range(samples)),
    )


def test_looking_at_held_out_samples_takes_a_quarter_of_the_training_at_most() -> None:
    assert evaluation_interval(200, 8, 0) == 20
    assert evaluation_interval(200, 8, 40) == 20  # a look costs two steps
    assert evaluation_interval(200, 8, 400) == 80  # one costs twenty
    assert evaluation_interval(200, 8, 40_000) == 200
    assert evaluation_interval(3, 8, 1) == 1


def test_importing_costs_the_api_process_no_libraries() -> None:
    code = (
        "import sys, json, training_engine.memory\n"
        "print(json.dumps([m for m in ('torch', 'transformers', 'numpy') if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert json.loads(done.stdout) == []
