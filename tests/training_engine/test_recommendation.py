"""Recommended values: within their ranges for anything, and moving the way experience says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training_engine.contract.choices import Method, Objective
from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.memory import recommend
from training_engine.recommendation import Complexity


def values(**options: object) -> Hyperparameters:
    given_values = {"num_params": 135_000_000, "num_rows": 1000, "mean_tokens": 150.0, **options}
    return recommend(**given_values).hyperparameters  # type: ignore[arg-type]


@given(
    num_params=st.integers(0, 10**12),
    num_rows=st.integers(0, 10**8),
    mean_tokens=st.floats(0, 10**6),
    method=st.none() | st.sampled_from(list(Method)),
    complexity=st.sampled_from(["simple", "medium", "complex"]),
    longest=st.none() | st.integers(1, 10**6),
    context=st.none() | st.integers(1, 10**6),
)
def test_any_model_and_data_get_valid_values(
    num_params: int,
    num_rows: int,
    mean_tokens: float,
    method: Method | None,
    complexity: Complexity,
    longest: int | None,
    context: int | None,
) -> None:
    found = recommend(
        num_params,
        num_rows,
        mean_tokens,
        method,
        complexity,
        longest_tokens=longest,
        context_length=context,
    )
    assert found.method == (method or Method.LORA)
    assert found.reasons.keys() <= Hyperparameters.model_fields.keys()
    assert found.hyperparameters.max_length >= 16


def test_larger_models_and_full_tuning_learn_more_slowly() -> None:
    rates = [values(num_params=n).learning_rate for n in (10**8, 10**9, 10**10, 10**11)]
    assert rates == sorted(rates, reverse=True)
    assert len(set(rates)) == 4
    assert values(method=Method.FULL).learning_rate <= values().learning_rate / 5


def test_harder_material_gets_more_room_and_more_passes() -> None:
    simple, medium, complex_ = (values(complexity=c) for c in ("simple", "medium", "complex"))
    assert simple.lora_rank < medium.lora_rank < complex_.lora_rank
    assert simple.epochs < medium.epochs < complex_.epochs
    assert all(v.lora_alpha == 2 * v.lora_rank for v in (simple, medium, complex_))


@pytest.mark.parametrize("rows", [60, 300, 3_000, 30_000, 300_000])
def test_small_sets_are_seen_more_often(rows: int) -> None:
    assert values(num_rows=rows).epochs >= values(num_rows=rows * 10).epochs
    assert values(num_rows=rows).batch_size <= values(num_rows=rows * 10).batch_size


def test_rows_fit_and_the_model_can_read_them() -> None:
    assert values(longest_tokens=433).max_length == 512
    assert values(mean_tokens=100).max_length == 512
    assert values(longest_tokens=5000, context_length=2048).max_length == 2048


def test_enough_rows_are_held_out_and_never_too_many() -> None:
    assert values(num_rows=15).evaluation_fraction == 0
    few = recommend(135_000_000, 15, 150.0)
    assert few.hyperparameters.early_stopping_patience is None
    assert few.reasons["early_stopping_patience"] == "too_few_rows"
    assert values(num_rows=100).evaluation_fraction == pytest.approx(0.1)
    assert values(num_rows=100_000).evaluation_fraction == pytest.approx(0.005)


@pytest.mark.parametrize("objective", [Objective.DPO, Objective.KTO, Objective.ORPO])
def test_preferences_are_learnt_gently(objective: Objective) -> None:
    for method in (Method.LORA, Method.FULL):
        gentle = values(method=method, objective=objective)
        assert gentle.learning_rate == pytest.approx(values(method=method).learning_rate / 10)
    assert values(num_rows=60, objective=objective).epochs < values(num_rows=60).epochs


def test_a_small_classifier_is_tuned_whole_unless_asked_otherwise() -> None:
    small = recommend(22_700_000, 1000, 30.0, objective=Objective.CLASSIFY)
    assert (small.method, "method" in small.reasons) == (Method.FULL, True)
    large = recommend(7_000_000_000, 1000, 30.0, objective=Objective.CLASSIFY)
    assert large.method is Method.LORA
    asked = recommend(22_700_000, 1000, 30.0, Method.LORA, objective=Objective.CLASSIFY)
    assert asked.method is Method.LORA


def test_adapters_of_quantised_weights_learn_like_any_other() -> None:
    lora, qlora = values(), values(method=Method.QLORA)
    assert (qlora.learning_rate, qlora.lora_rank) == (lora.learning_rate, lora.lora_rank)
    assert values(method=Method.FREEZE).learning_rate == values(method=Method.FULL).learning_rate


def test_a_separate_validation_set_is_measured_on_however_few_the_rows_are() -> None:
    few = recommend(135_000_000, 15, 150.0, held_out_apart=True)
    assert few.hyperparameters.early_stopping_patience == 3
    assert few.hyperparameters.evaluation_fraction == 0
    assert "evaluation_fraction" not in few.reasons


def test_outputs_of_a_decoder_of_its_own_fit() -> None:
    found = recommend(
        60_000_000, 500, 150.0, objective=Objective.SEQ2SEQ, longest_tokens=100, longest_target=700
    )
    assert found.hyperparameters.max_length == 128
    assert found.hyperparameters.max_target_length == 1024
    assert found.reasons["max_target_length"] == "max_target_length_by_outputs"
