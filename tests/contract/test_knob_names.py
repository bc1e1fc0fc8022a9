"""A knob by another name is answered with ours."""

import json

import pytest
from pydantic import ValidationError

from tests.contract.test_samples import SAMPLES
from training_engine.contract.choices import Compilation
from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.contract.knob_names import (
    NAMES_ELSEWHERE,
    under_former_names,
    under_present_names,
)
from training_engine.contract.spec import RunSpec


@pytest.mark.parametrize(
    ("name", "meant"), [("num_train_epochs", "epochs"), ("learning_rates", "learning_rate")]
)
def test_the_known_name_is_offered(name: str, meant: str) -> None:
    with pytest.raises(ValidationError, match=f"“{name}”; did you mean “{meant}”"):
        Hyperparameters.model_validate({name: 1})


def test_a_name_that_stands_for_another_number_elsewhere_says_so() -> None:
    """TRL's gamma is absolute; the paper's own program gives the ratio under another name."""
    told = r"did you mean “simpo_gamma_ratio”\? .*the margin itself.*divide it by beta"
    with pytest.raises(ValidationError, match=told):
        Hyperparameters.model_validate({"simpo_gamma": 0.5})
    with pytest.raises(ValidationError, match=r"did you mean “simpo_gamma_ratio”\?"):
        Hyperparameters.model_validate({"gamma_beta_ratio": 0.5})


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


def test_a_spec_that_was_written_before_a_knob_got_its_name_is_read() -> None:
    spec = json.loads((SAMPLES / "spec-lora.json").read_bytes())
    spec["hyperparameters"] = {**spec.get("hyperparameters", {}), "simpo_gamma": 0.7}
    found = RunSpec.model_validate(spec)
    assert found == RunSpec.model_validate_json(json.dumps(spec))
    assert found.hyperparameters.simpo_gamma_ratio == 0.7
    dump = found.hyperparameters.model_dump(mode="json")
    assert under_present_names(under_former_names(dump)) == dump
    assert under_former_names(dump)["simpo_gamma"] == 0.7
