"""A knob by another name is answered with ours."""

import pytest
from pydantic import ValidationError

from training_engine.contract.choices import Compilation
from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.contract.knob_names import NAMES_ELSEWHERE


@pytest.mark.parametrize(
    ("name", "meant"), [("num_train_epochs", "epochs"), ("learning_rates", "learning_rate")]
)
def test_the_known_name_is_offered(name: str, meant: str) -> None:
    with pytest.raises(ValidationError, match=f"“{name}”; did you mean “{meant}”"):
        Hyperparameters.model_validate({name: 1})


def test_without_a_guess_all_are_listed() -> None:
    with pytest.raises(ValidationError, match=r"there are: epochs, max_steps, .*lora_rank"):
        Hyperparameters.model_validate({"zzzz": 1})


def test_what_is_offered_exists() -> None:
    assert set(NAMES_ELSEWHERE.values()) <= set(Hyperparameters.model_fields)
    assert not set(NAMES_ELSEWHERE) & set(Hyperparameters.model_fields)


@pytest.mark.parametrize(("given", "kept"), [(True, "on"), (False, "off"), ("auto", "auto")])
def test_a_switch_of_older_specs_is_understood(given: object, kept: str) -> None:
    knobs = Hyperparameters.model_validate({"compile": given})
    assert knobs.compile is Compilation(kept)
    assert knobs.model_dump(mode="json")["compile"] == kept
