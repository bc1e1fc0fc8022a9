"""Every objective's loss and gradient are those of its paper, however the samples are cut.

The engine computes packed rows on its own path; the paper's formula is computed from stock logits
of each sequence by itself, without padding, packing or any code of the engine.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.training_engine.objectives import formulas
from tests.training_engine.objectives.opened import move, opened
from tests.training_engine.objectives.rows import record, spec_for, write_records
from training_engine import compute
from training_engine.contract.choices import Objective
from training_engine.plan import NO_LIMIT, AtOnce
from training_engine.run import Run

ROWS = 8
SMOOTHED = {"label_smoothing": 0.1}
WEIGHTED = {"beta": 0.4, "desirable_weight": 1.5, "undesirable_weight": 0.7}
CASES: list[tuple[Objective, str, dict[str, Any]]] = [
    (Objective.SFT, "llama", {}),
    (Objective.SFT, "llama", SMOOTHED),
    (Objective.PRETRAIN, "llama", SMOOTHED),
    (Objective.CLASSIFY, "llama", {"label_kind": "single_label", **SMOOTHED}),
    (Objective.CLASSIFY, "llama", {"label_kind": "multi_label", **SMOOTHED}),
    (Objective.CLASSIFY, "bert", {"label_kind": "single_label"}),
    (Objective.CLASSIFY, "bert", {"label_kind": "multi_label"}),
    (Objective.CLASSIFY, "bert", {"label_kind": "regression"}),
    (Objective.SEQ2SEQ, "t5", {}),
    (Objective.SEQ2SEQ, "t5", SMOOTHED),
    (Objective.DPO, "llama", {"beta": 0.3}),
    (Objective.IPO, "llama", {"beta": 0.3}),
    (Objective.ORPO, "llama", {"beta": 0.3}),
    (Objective.SIMPO, "llama", {"simpo_gamma_ratio": 0.3}),
    (Objective.CPO, "llama", {"cpo_alpha": 0.5}),
    (Objective.KTO, "llama", WEIGHTED),
    (Objective.REWARD, "llama", {}),
    (Objective.REWARD, "bert", {}),
]

# How far the weights go from where they started: KTO's z0 is above zero for one, cut off for one.
MOVES = {Objective.KTO: (-0.02, 0.02)}
UNPACKED = [
    (objective, "llama", {"packing": False})
    for objective in (Objective.SFT, Objective.DPO, Objective.KTO, Objective.REWARD)
]


def rows_of(objective: Objective, knobs: dict[str, Any]) -> list[dict[str, Any]]:
    rows = [record(objective, i) for i in range(ROWS)]
    if knobs.get("label_kind") == "multi_label":
        for i, row in enumerate(rows):
            row["label"] = ["hat"] * (i % 2) + [row["label"]]
    elif knobs.get("label_kind") == "regression":
        for i, row in enumerate(rows):
            row["label"] = i / 3
    return rows


def stock(run: Run, folder: Path, *, moved: bool) -> Any:
    """The published classes with this run's weights (or those it began with, for a decoder)."""
    from transformers import (
        AutoModelForCausalLM,
        AutoModelForSeq2SeqLM,
        AutoModelForSequenceClassification,
    )

    if run.spec.objective in (Objective.CLASSIFY, Objective.REWARD):
        kind: Any = AutoModelForSequenceClassification
    elif run.spec.objective is Objective.SEQ2SEQ:
        kind = AutoModelForSeq2SeqLM
    else:
        kind = AutoModelForCausalLM
    settings = {}
    if kind is AutoModelForSequenceClassification:
        config: Any = run.model.config
        settings = {
            "num_labels": config.num_labels,
            "problem_type": config.problem_type,
            "pad_token_id": config.pad_token_id,
        }
    model = kind.from_pretrained(folder, attn_implementation="eager", **settings).eval()
    if moved:
        model.load_state_dict(run.weights.masters, strict=False)
        mine = {n: p for n, p in model.named_parameters() if p.requires_grad}
        assert mine.keys() == run.weights.masters.keys()
    return model


def paper(run: Run, folder: Path) -> tuple[Tensor, dict[str, Tensor]]:
    """Loss and gradients by the formula."""
    knobs, data, objective = run.spec.hyperparameters, run.data.train, run.spec.objective
    model, smoothing = stock(run, folder, moved=True), knobs.label_smoothing
    beta = knobs.beta_of(objective)
    with torch.no_grad():
        base = stock(run, folder, moved=False)
        before = formulas.pairs(base, data) if run.criterion.referenced else []
    match objective:
        case Objective.SFT | Objective.PRETRAIN:
            loss = formulas.next_token(model, data, smoothing)
        case Objective.SEQ2SEQ:
            loss = formulas.translation(model, data, smoothing)
        case Objective.CLASSIFY:
            loss = formulas.classification(model, data, smoothing)
        case Objective.REWARD:
            loss = formulas.reward(model, data)
        case Objective.DPO:
            loss = formulas.dpo(formulas.pairs(model, data), before, beta)
        case Objective.IPO:
            loss = formulas.ipo(formulas.pairs(model, data), before, beta)
        case Objective.ORPO:
            loss = formulas.orpo(formulas.pairs(model, data), beta)
        case Objective.SIMPO:
            loss = formulas.simpo(formulas.pairs(model, data), beta, knobs.simpo_gamma_ratio)
        case Objective.CPO:
            loss = formulas.cpo(formulas.pairs(model, data), beta, knobs.cpo_alpha)
        case Objective.KTO:
            assert data.labels is not None
            weights = (knobs.desirable_weight, knobs.undesirable_weight)
            now = formulas.pairs(model, data)
            loss = formulas.kto(now, before, data.labels, beta, weights)
    loss.backward()
    return loss.detach(), formulas.gradients(model)


def ways(run: Run) -> Iterator[AtOnce]:
    """Everything at once, one by one, and by tokens."""
    yield AtOnce(NO_LIMIT, None)
    if not run.padded and run.at_once.samples == 1:  # it does not pack
        return
    yield AtOnce(NO_LIMIT, 1)
    yield AtOnce(3 * max(map(run.data.train.length, range(ROWS))), None)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("objective", "kind", "knobs"), CASES + UNPACKED, ids=str)
def test_loss_and_gradient_are_the_papers(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    objective: Objective,
    kind: str,
    knobs: dict[str, Any],
) -> None:
    name = {"llama": "tiny_model", "bert": "tiny_bert", "t5": "tiny_t5"}[kind]
    folder: Path = request.getfixturevalue(name)
    data = write_records(tmp_path / "rows.jsonl", rows_of(objective, knobs))
    spec = spec_for(objective, data, folder, {"evaluation_fraction": 0, **knobs}, method="full")
    run = opened(tmp_path / "run", spec)
    start = {name: master.clone() for name, master in run.weights.masters.items()}
    run.model.eval()  # no dropout
    for size in MOVES.get(objective, (0.02,)):
        run.weights.load(start)
        move(run, size)
        compare(run, folder)


def compare(run: Run, folder: Path) -> None:
    loss, expected = paper(run, folder)
    samples = range(len(run.data.train))
    for way in ways(run):
        run.at_once = way
        run.weights.zero_gradients()
        found = compute.measure(run, run.data.train, samples, learn=True)
        assert found.loss == pytest.approx(float(loss), rel=2e-5), way
        for place, gradient in run.weights.gradients.items():
            wanted = expected.get(place, torch.zeros_like(gradient))
            assert torch.allclose(gradient, wanted, rtol=2e-3, atol=2e-6), (place, way)
