"""The catalogue's facts agree with each other."""

import pytest

from backend.models.catalog import fit
from backend.models.known_models import KNOWN_MODELS, STARTER, KnownModel
from backend.models.schemas import Fit
from training_engine.contract.choices import Method
from training_engine.model_shape import read_shape


@pytest.mark.parametrize("known", KNOWN_MODELS, ids=lambda known: known.reference)
def test_sizes_make_the_published_number_of_parameters(known: KnownModel) -> None:
    shape = read_shape(known.config)
    assert shape is not None
    if shape.exact:
        assert shape.num_parameters == known.num_parameters
    else:
        assert abs(shape.num_parameters / known.num_parameters - 1) < 0.01


def test_references_are_unique() -> None:
    references = [known.reference.lower() for known in KNOWN_MODELS]
    assert len(set(references)) == len(references)


def test_fit_follows_memory_and_method() -> None:
    large = next(known for known in KNOWN_MODELS if known.reference.endswith("Qwen3-8B"))
    assert fit(STARTER, Method.LORA, "cpu", 8_000_000_000) == Fit.FITS
    assert fit(large, Method.LORA, "cpu", 8_000_000_000) == Fit.WILL_NOT_FIT
    assert fit(large, Method.LORA, "cuda", 80_000_000_000) == Fit.FITS
    assert fit(large, Method.FULL, "cuda", 80_000_000_000) == Fit.WILL_NOT_FIT
