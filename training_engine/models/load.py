"""Loads a base model and its tokenizer from a folder; nothing is fetched, nothing is unpickled."""

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from training_engine.contract.choices import Head, Quantization
from training_engine.contract.model_folder import (
    CONFIG_FILE,
    Unfit,
    UnfitFolder,
    check_code,
    check_model,
    runs_code,
)
from training_engine.contract.names import FailureCode
from training_engine.devices import Placement
from training_engine.failures import EngineFailure
from training_engine.models import attention, unpadded
from training_engine.models.adapters import classification_head, output_layers, within
from training_engine.models.quantised import quantise
from training_engine.models.trial import alike

if TYPE_CHECKING:
    from transformers import PreTrainedModel

# Families whose packed attention the tests hold equal to the stock one; others are tried first.
KNOWN_FAMILIES = frozenset({"llama", "mistral", "qwen2", "qwen3", "smollm3", "phi3", "olmo2"})
STOCK_ATTENTION = "sdpa"
CHOOSE_AGAIN = "Choose the model again, or add it once more on the models page."


def check_folder(path: Path, name: str, trusted_code_sha256: str | None = None) -> dict[str, Any]:
    """The model's config.json; raises `EngineFailure` when the folder is not a usable model.

    `trusted_code_sha256`: of the program files in it that an administrator has allowed.
    """
    with _told(name):
        return check_model(path, trusted_code_sha256)


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Say what is wrong with a folder in the engine's words."""
    try:
        yield
    except UnfitFolder as error:
        missing = error.file == CONFIG_FILE and error.reason is Unfit.MISSING
        message = (
            f"The model {name} is not where it was: its folder has no readable {CONFIG_FILE}."
            if missing
            else f"The model {name} can not be used: {error.message}"
        )
        raise EngineFailure(
            FailureCode.MODEL_NOT_FOUND, message, error.hint, {"file": error.file}
        ) from error


def quiet() -> None:
    """No progress bars and no advice of transformers in the log."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()


def load_tokenizer(path: Path, *, trusted: bool = False) -> Any:
    """The tokenizer of a model folder; raises `EngineFailure`.

    `trusted`: `check_folder` has found the code that may be executed.
    """
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(path, local_files_only=True, trust_remote_code=trusted)
    except Exception as error:
        # The tokenizers library knows one kind of error only: Exception itself.
        if type(error) is not Exception and not isinstance(error, _malformed()):
            raise
        raise EngineFailure(
            FailureCode.MODEL_NOT_FOUND,
            f"The model's tokenizer can not be loaded from {path.name}: {_short(error)}",
            CHOOSE_AGAIN,
        ) from error


def load_causal_lm(path: Path, placement: Placement, *, packed: bool) -> "PreTrainedModel":
    """A stock causal model in the run's number type; `packed` chooses our attention.

    Raises `EngineFailure` for folders that transformers can not load, or not whole.
    """
    name = attention.NAME if packed else STOCK_ATTENTION
    return load_stock(path, placement, Head.CAUSAL_LM, name)


def load_stock(
    path: Path,
    placement: Placement,
    head: Head,
    attention_name: str,
    *,
    new: tuple[str, ...] = (),
    quantization: Quantization | None = None,
    trusted_code_sha256: str | None = None,
    **options: Any,
) -> "PreTrainedModel":
    """A stock model that ends in `head`; `options` go into its configuration.

    `new`: weights that may be missing, by the beginning of their names, beside those of a
    classification head; they are learnt, and their modules stand in `model.new_modules`.
    `quantization` packs the frozen matrices on their way to the device. `trusted_code_sha256`: the
    folder's own program files are executed if they are those. Raises `EngineFailure` for folders
    that transformers can not load, or not whole: it would fill what is missing with random numbers.
    """
    with _told(path.name):
        check_code(path, trusted_code_sha256)
        trusted = trusted_code_sha256 is not None and runs_code(path)
    attention.register()
    unpadded.register()
    model, found = _read(
        path, head, attention_name, dtype=placement.dtype, trust_remote_code=trusted, **options
    )
    begun = _newly_begun(model, found, head, new)
    _check_whole(path, found, begun)
    model.new_modules = sorted({name.rpartition(".")[0] for name in begun})
    model.config.use_cache = False
    if quantization is not None:
        keep = output_layers(model) | classification_head(model)
        quantise(model, quantization, placement.device, keep)
    placed: PreTrainedModel = model.to(placement.device)
    return placed


def auto_class(head: Head) -> Any:
    """The Auto class of transformers, of which only the one that is used gets imported."""
    import transformers

    names = {
        Head.CAUSAL_LM: "AutoModelForCausalLM",
        Head.SEQUENCE_CLASSIFICATION: "AutoModelForSequenceClassification",
        Head.SEQ2SEQ_LM: "AutoModelForSeq2SeqLM",
    }
    return getattr(transformers, names[head])


def _read(
    path: Path, head: Head, attention_name: str, **options: Any
) -> tuple[Any, dict[str, Any]]:
    """Model and loading info, from these files and no others; raises `EngineFailure`."""
    try:
        return _from_pretrained(
            path,
            head,
            attention_name,
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # told later, in plain words
            **options,
        )
    except _malformed() as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOMEM, errno.ENOSPC):
            raise
        raise EngineFailure(
            FailureCode.MODEL_NOT_FOUND,
            f"The model can not be loaded from {path.name}: {_short(error)}",
            CHOOSE_AGAIN,
        ) from error


def _from_pretrained(
    path: Path, head: Head, attention_name: str, **options: Any
) -> tuple[Any, dict[str, Any]]:
    """Model and loading info; families without the attention that is wanted get the plainest."""
    auto = auto_class(head)
    found: tuple[Any, dict[str, Any]]
    try:
        found = auto.from_pretrained(path, attn_implementation=attention_name, **options)
    except ValueError as error:
        if "does not support an attention implementation" not in str(error):
            raise
        found = auto.from_pretrained(path, attn_implementation="eager", **options)
    return found


def _newly_begun(
    model: nn.Module, found: dict[str, Any], head: Head, new: tuple[str, ...]
) -> set[str]:
    """Weights that the base does not have and that are learnt: a head, and a pooler before it."""
    absent = {*found["missing_keys"], *(name for name, *_ in found["mismatched_keys"])}
    begun = {name for name in absent if name.startswith(new)}
    if head is Head.SEQUENCE_CLASSIFICATION:
        heads = classification_head(model)
        begun |= {n for n in absent if within(n, heads) or "pooler" in n.split(".")}
    return begun


def _check_whole(path: Path, found: dict[str, Any], new: set[str]) -> None:
    """Refuse a model that did not get all its weights; raises `EngineFailure`."""
    mismatched = sorted(key for key in found["mismatched_keys"] if key[0] not in new)
    absent = sorted(set(found["missing_keys"]) - new)
    if mismatched:
        name, stored, wanted = mismatched[0]
        sizes = f"{_shape(stored)} instead of {_shape(wanted)}"
        what = f"{name} is {sizes}, as {CONFIG_FILE} wants it"
        count = len(mismatched)
    elif absent:
        what, count = f"{absent[0]} is missing", len(absent)
    elif problems := found["error_msgs"]:
        what, count = str(problems[0]), len(problems)
    else:
        return
    others = f", and {count - 1} more such" if count > 1 else ""
    raise EngineFailure(
        FailureCode.MODEL_NOT_FOUND,
        f"The weights in {path.name} do not fit its {CONFIG_FILE}: {what}{others}.",
        CHOOSE_AGAIN,
    )


def _shape(sizes: Iterable[int]) -> str:
    return " × ".join(map(str, sizes))


def packing_works(model: nn.Module) -> bool:
    """Whether two samples in one row give what each gives alone with stock attention.

    Families of `KNOWN_FAMILIES` are not tried; the tests do that. Encoders and models of two
    stacks are never packed.
    """
    config: Any = model.config
    if config.model_type in KNOWN_FAMILIES:
        return True
    if config.is_encoder_decoder or not hasattr(model, "get_decoder"):
        return False
    device = next(model.parameters()).device
    words = config.get_text_config(decoder=True).vocab_size
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(0, words, (1, 24), generator=generator).to(device)
    parts = (ids[:, :15], ids[:, 15:])
    positions = torch.cat([torch.arange(15), torch.arange(9)])[None].to(device)
    decoder: Any = model.get_decoder()
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            packed = decoder(
                input_ids=ids, position_ids=positions, sample_lengths=(15, 9), use_cache=False
            ).last_hidden_state
            set_attention(model, STOCK_ATTENTION)
            alone = [decoder(input_ids=p, use_cache=False).last_hidden_state for p in parts]
    except (ValueError, TypeError):
        return False
    finally:
        set_attention(model, attention.NAME)
        model.train(was_training)
    wanted = torch.cat(alone, dim=1).float()
    return alike(packed, wanted, packed.dtype)


def set_attention(model: nn.Module, name: str) -> None:
    """Switch between our attention (training) and `sdpa` (generation)."""
    model.set_attn_implementation(name)


def _malformed() -> tuple[type[Exception], ...]:
    """What the libraries raise for a file that can be read and makes no sense."""
    from huggingface_hub.errors import StrictDataclassError
    from safetensors import SafetensorError

    plain = (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError)
    return (*plain, SafetensorError, StrictDataclassError)


def _short(error: Exception) -> str:
    """An error in one line."""
    text = " ".join(str(error).split())
    return text[:300] if text else type(error).__name__
