"""Models that end in a class or a score: loaded whole, asked with many texts at once.

The numbers are those of training's own evaluation: the same reading of texts, the same forward.
"""

import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from training_engine.contract.choices import Head, Quantization
from training_engine.contract.context import context_of
from training_engine.contract.model_folder import CONFIG_FILE
from training_engine.contract.predictions import Kind
from training_engine.data.packing import PackedRow
from training_engine.devices import Placement
from training_engine.models import attention
from training_engine.models.forward import Scorer
from training_engine.models.heads import scores_packed, set_padding
from training_engine.models.load import STOCK_ATTENTION, set_attention
from training_engine.models.quantised import weight_bytes
from training_engine.output import ARGUMENTS_FILE
from training_engine.plan import tokens_at_once
from training_engine.serve.adapters import add_with_head
from training_engine.serve.failures import ServeError
from training_engine.serve.folders import check_adapter_folder, check_model_folder, read_config
from training_engine.serve.loaded_model import fingerprint, load_whole
from training_engine.serve.tokenizers import load_template

_ENDLESS = 1_048_576
_LABEL_SETTINGS = ("id2label", "label2id", "problem_type", "pad_token_id")


class LoadedClassifier:
    """A model folder, or a base with the adapter and the head that were tuned on it."""

    def __init__(
        self,
        folder: Path,
        adapter: Path | None,
        place: Placement,
        quantization: Quantization | None = None,
        trusted_code_sha256: str | None = None,
    ) -> None:
        """Raises `ServeError` for folders that are missing, unsafe or no classifier."""
        self.folder, self.adapter = folder, adapter
        check_model_folder(folder, trusted_code_sha256)
        trusted = trusted_code_sha256 is not None
        self._fingerprints = self._look()
        own = folder if adapter is None else adapter
        config = read_config(own / CONFIG_FILE) if adapter is None else _labels_beside(adapter)
        has_tokenizer = (own / "tokenizer_config.json").is_file()
        self.template = load_template(
            own if has_tokenizer else folder, required=False, trusted=trusted
        )
        # Without an adapter the model's own configuration says it all.
        told = {} if adapter is None else _label_settings(config)
        self.model = load_whole(
            folder,
            place,
            Head.SEQUENCE_CLASSIFICATION,
            quantization=quantization,
            trusted_code_sha256=trusted_code_sha256,
            **told,
        )
        begun = set(self.model.new_modules)
        if adapter is not None:
            replaced = add_with_head(self.model, str(adapter), adapter)
            begun -= {name.rpartition(".")[0] for name in replaced}
        if begun:
            raise _no_head(own.name, sorted(begun)[0])
        set_padding(self.model, self.template.tokenizer)
        packed = scores_packed(self.model)
        set_attention(self.model, attention.NAME if packed else STOCK_ATTENTION)
        self._scorer = Scorer(self.model, packed=packed)
        self.names = _names(self.model.config)
        self.kind = _kind(self.model.config, self.names)
        self.longest = _longest(own, config, self.template.tokenizer)
        self.last_used = time.monotonic()

    @property
    def memory_bytes(self) -> int:
        """Weights of the base and of the adapter."""
        return int(weight_bytes(self.model))

    @property
    def adapters(self) -> list[str]:
        """The adapter's path, if there is one."""
        return [] if self.adapter is None else [str(self.adapter)]

    @property
    def batch_tokens(self) -> int:
        """How many tokens go through the model at once."""
        return tokens_at_once(self.model.config, self.model.device)

    def is_current(self) -> bool:
        """Whether the files are still those that were loaded."""
        return self.folder.is_dir() and self._fingerprints == self._look()

    def _look(self) -> list[Any]:
        return [fingerprint(each) for each in (self.folder, self.adapter) if each is not None]

    def scores(self, texts: list[list[int]]) -> Tensor:
        """What the head gives for each text, float32 [texts, labels]; texts are tokens."""
        self.last_used = time.monotonic()
        with torch.inference_mode():
            return self._scorer.scores(row_of(texts, self.model.device)).cpu()


def row_of(texts: list[list[int]], device: torch.device) -> PackedRow:
    """Texts end to end, each read at its last token."""
    ids = torch.tensor([token for text in texts for token in text], device=device)
    lengths = tuple(map(len, texts))
    nothing = ids[:0]
    return PackedRow(
        input_ids=ids[None],
        position_ids=torch.cat([torch.arange(n, device=device) for n in lengths])[None],
        lengths=lengths,
        predicting=torch.tensor(lengths, device=device).cumsum(0) - 1,
        targets=nothing,
        owner=nothing,
        samples=tuple(range(len(texts))),
    )


def _labels_beside(adapter: Path) -> dict[str, Any]:
    """The configuration that a run stores beside a classifier's adapter; raises `ServeError`."""
    check_adapter_folder(adapter)
    if not (adapter / CONFIG_FILE).is_file():
        raise ServeError(
            "adapter_not_supported",
            f"The adapter {adapter.name} does not say which labels it knows ({CONFIG_FILE}).",
            "Put the classifier's configuration beside it, or merge it into its base.",
        )
    return read_config(adapter / CONFIG_FILE)


def _label_settings(config: dict[str, Any]) -> dict[str, Any]:
    """What a base model has to be told to get the head that an adapter was tuned with."""
    told = {key: config[key] for key in _LABEL_SETTINGS if key in config}
    if "id2label" in told:
        told["num_labels"] = len(told["id2label"])
        told["id2label"] = {int(i): name for i, name in told["id2label"].items()}
    return told


def _names(config: Any) -> list[str]:
    return [str(config.id2label[i]) for i in range(config.num_labels)]


def _kind(config: Any, names: list[str]) -> Kind:
    """As stock transformers decides; our reward models name their number so."""
    if config.problem_type == "multi_label_classification":
        return "multi_label"
    if config.problem_type == "regression" or len(names) == 1:
        return "score" if names == ["reward"] else "regression"
    return "single_label"


def _longest(own: Path, config: dict[str, Any], tokenizer: Any) -> int:
    """Tokens of a text: as many as training read, and never more than the model can."""
    declared = int(tokenizer.model_max_length)
    known = [context_of(config) or (declared if declared < _ENDLESS else _ENDLESS)]
    if (own / ARGUMENTS_FILE).is_file():
        knobs = read_config(own / ARGUMENTS_FILE).get("hyperparameters")
        trained = knobs.get("max_length") if isinstance(knobs, dict) else None
        known += [trained] if isinstance(trained, int) and trained > 0 else []
    return min(known)


def _no_head(name: str, module: str) -> ServeError:
    return ServeError(
        "not_a_classifier",
        f"The model {name} has no weights for {module}: it was never trained to classify.",
        "Train it to classify first, or choose a tuned model.",
    )
