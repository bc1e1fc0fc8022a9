"""How a model's folder and an objective read rows: the same reading as in a run of them."""

import threading
from pathlib import Path

from training_engine.contract.choices import Objective
from training_engine.contract.context import context_of
from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.data.chat import terminators
from training_engine.data.reading import Reading
from training_engine.objectives import recipe_of
from training_engine.serve.folders import check_model_folder
from training_engine.serve.tokenizers import load_template

# A tokenizer that shortens one text would shorten another thread's: what it was told, it keeps.
alone = threading.Lock()


def reading_of(
    model_path: str,
    objective: Objective,
    knobs: Hyperparameters,
    chat_template: str | None = None,
    trusted_code_sha256: str | None = None,
) -> tuple[Reading, set[int]]:
    """The reading, and the tokens that end an answer; raises `ServeError`."""
    folder = Path(model_path)
    config = check_model_folder(folder, trusted_code_sha256)
    kind = recipe_of(objective).reading
    template = load_template(
        folder,
        chat_template if kind.needs_template else None,
        required=kind.needs_template,
        spare=kind.spare_template,
        trusted=trusted_code_sha256 is not None,
    )
    return kind(template, knobs, context_of(config)), terminators(template.tokenizer, folder)
