"""Loads a base model and its tokenizer from a folder; nothing is fetched, nothing is unpickled."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from training_engine.contract.names import FailureCode
from training_engine.devices import Placement
from training_engine.failures import EngineFailure
from training_engine.models import attention

if TYPE_CHECKING:
    from transformers import PreTrainedModel

# Families whose packed attention the tests hold equal to the stock one; others are tried first.
KNOWN_FAMILIES = frozenset({"llama", "mistral", "qwen2", "qwen3", "smollm3", "phi3", "olmo2"})
CHOOSE_AGAIN = "Choose the model again, or add it once more on the models page."


def check_folder(path: Path, name: str) -> dict[str, Any]:
    """The model's config.json; raises `EngineFailure` when the folder is not a usable model."""
    try:
        config: dict[str, Any] = json.loads((path / "config.json").read_text())
    except (OSError, ValueError) as error:
        raise EngineFailure(
            FailureCode.MODEL_NOT_FOUND,
            f"The model {name} is not where it was: its folder has no readable config.json.",
            CHOOSE_AGAIN,
        ) from error
    if not any(path.glob("*.safetensors")):
        raise EngineFailure(
            FailureCode.MODEL_NOT_FOUND,
            f"The model {name} has no safetensors weights.",
            "Convert it to safetensors; other formats can run code when they are opened.",
        )
    return config


def quiet() -> None:
    """No progress bars and no advice of transformers in the log."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()


def load_tokenizer(path: Path) -> Any:
    """The tokenizer of a model folder; raises `EngineFailure`."""
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(path, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise EngineFailure(
            FailureCode.MODEL_NOT_FOUND,
            f"The model's tokenizer can not be loaded: {_first_line(error)}",
            CHOOSE_AGAIN,
        ) from error


def load_causal_lm(path: Path, placement: Placement, *, packed: bool) -> "PreTrainedModel":
    """A stock model in the run's number type; `packed` chooses our attention.

    Raises `EngineFailure` for folders that transformers can not load.
    """
    from transformers import AutoModelForCausalLM

    attention.register()
    try:
        model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
            path,
            dtype=placement.dtype,
            attn_implementation=attention.NAME if packed else "sdpa",
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
        )
    except (OSError, ValueError, KeyError) as error:
        raise EngineFailure(
            FailureCode.MODEL_NOT_FOUND,
            f"The model can not be loaded: {_first_line(error)}",
            CHOOSE_AGAIN,
        ) from error
    model.config.use_cache = False
    return model.to(placement.device)


def packing_works(model: nn.Module) -> bool:
    """Whether two samples in one row give what each gives alone with stock attention.

    Families of `KNOWN_FAMILIES` are not tried; the tests do that.
    """
    config: Any = model.config
    if config.model_type in KNOWN_FAMILIES:
        return True
    device = next(model.parameters()).device
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(0, config.vocab_size, (1, 24), generator=generator).to(device)
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
            set_attention(model, "sdpa")
            alone = [decoder(input_ids=p, use_cache=False).last_hidden_state for p in parts]
    except (ValueError, TypeError):
        return False
    finally:
        set_attention(model, attention.NAME)
        model.train(was_training)
    wanted = torch.cat(alone, dim=1).float()
    tolerance = 0.05 if packed.dtype == torch.bfloat16 else 1e-3
    return bool((packed.float() - wanted).norm() <= tolerance * wanted.norm())


def set_attention(model: nn.Module, name: str) -> None:
    """Switch between our attention (training) and `sdpa` (generation)."""
    model.set_attn_implementation(name)


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:300] if text else type(error).__name__
