"""Choosing tokens: the arithmetic of transformers, repeatable with a seed."""

import pytest
import torch
from transformers import (
    LogitsProcessorList,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopPLogitsWarper,
)

from training_engine.serve.sampling import Sampler


def sampler(**options: object) -> Sampler:
    values = {"temperature": 0.0, "top_p": 1.0, "repetition_penalty": 1.0, "seed": 1, "prompt": [0]}
    return Sampler(**{**values, **options})  # type: ignore[arg-type]


def test_greedy_takes_the_best_and_penalty_counts_prompt_and_answer() -> None:
    logits = torch.tensor([3.0, 2.9, -1.0, 2.8])
    assert sampler().pick(logits) == 0
    chosen = sampler(repetition_penalty=1.1)
    assert [chosen.pick(logits) for _ in range(3)] == [1, 3, 0]


@pytest.mark.parametrize(
    ("temperature", "top_p"), [(0.7, 0.9), (1.5, 0.5), (1.0, 1.0), (1.0, 0.01)]
)
def test_draws_follow_the_distribution_of_transformers(temperature: float, top_p: float) -> None:
    torch.manual_seed(0)
    logits = torch.randn(12) * 2
    stock = LogitsProcessorList(
        [
            RepetitionPenaltyLogitsProcessor(1.3),
            TemperatureLogitsWarper(temperature),
            TopPLogitsWarper(top_p),
        ]
    )
    wanted = stock(torch.tensor([[4]]), logits[None].clone())[0].softmax(-1)
    draws = 4000
    counts = torch.zeros(12)
    for seed in range(draws):
        chosen = sampler(
            temperature=temperature, top_p=top_p, repetition_penalty=1.3, seed=seed, prompt=[4]
        )
        counts[chosen.pick(logits)] += 1
    assert bool((counts[wanted == 0] == 0).all())
    # Five standard deviations of a count of that size.
    spread = (wanted * (1 - wanted) / draws).sqrt()
    assert bool(((counts / draws - wanted).abs() <= 5 * spread + 1e-6).all())


def test_a_seed_repeats_and_no_seed_does_not() -> None:
    logits = torch.zeros(1000)
    first = [sampler(temperature=1.0, seed=7).pick(logits) for _ in range(3)]
    assert len(set(first)) == 1
    assert len({sampler(temperature=1.0, seed=None).pick(logits) for _ in range(8)}) > 1
