"""What a request makes the computing thread do: load the model it needs, and begin an answer."""

from collections.abc import Callable
from typing import Any, Protocol

from training_engine.contract.predictions import ClassifyRequest, Predictions
from training_engine.contract.serving import Done, GenerateRequest, StreamItem
from training_engine.serve.classification import Classification
from training_engine.serve.classifier import LoadedClassifier
from training_engine.serve.failures import ServeError
from training_engine.serve.generation import Generation
from training_engine.serve.model_store import ModelStore
from training_engine.serve.translator import LoadedTranslator, Translation

Request = GenerateRequest | ClassifyRequest
Told = StreamItem | Predictions


class Work(Protocol):
    """An answer in the making."""

    def advance(self) -> bool:
        """One call of the model; True when the answer is complete and told."""
        ...

    def done(self, reason: str) -> Done:
        """How it ends when it ends now."""
        ...


def begin(
    request: Request, store: ModelStore, tell: Callable[[Told], None], arrived: float
) -> tuple[Work, str]:
    """The work and the folder of the model that it needs; raises `ServeError`."""
    loaded: Any = store.get(request.model_path, request.adapter_path, request.trusted_code_sha256)
    folder = str(loaded.folder)
    if isinstance(request, ClassifyRequest):
        if not isinstance(loaded, LoadedClassifier):
            raise ServeError(
                "not_a_classifier",
                f"The model {loaded.folder.name} writes text; it has no classes and no scores.",
                "Choose a model that was trained to classify or to score.",
            )
        return Classification(request, loaded, tell, arrived), folder
    if isinstance(loaded, LoadedClassifier):
        raise ServeError(
            "not_a_language_model",
            f"The model {loaded.folder.name} gives classes or scores; it writes no text.",
            "Ask it for the class of a text, or choose a model that writes.",
        )
    if isinstance(loaded, LoadedTranslator):
        return Translation(request, loaded, tell, arrived), folder
    return Generation(request, loaded, tell, arrived), folder
