"""What other trainers call the knobs: a name that we do not know is answered with the one we do."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic_core import PydanticCustomError

# transformers, TRL, LLaMA-Factory, ms-swift, PEFT and OpenAI, in this order of precedence.
NAMES_ELSEWHERE = {
    "num_train_epochs": "epochs",
    "num_epochs": "epochs",
    "n_epochs": "epochs",
    "lr": "learning_rate",
    "learning_rate_multiplier": "learning_rate",
    "per_device_train_batch_size": "micro_batch_size",
    "train_batch_size": "batch_size",
    "gradient_accumulation_steps": "batch_size",
    "cutoff_len": "max_length",
    "max_seq_length": "max_length",
    "max_seq_len": "max_length",
    "warmup_steps": "warmup_ratio",
    "lr_scheduler_type": "schedule",
    "val_size": "evaluation_fraction",
    "split_dataset_ratio": "evaluation_fraction",
    "eval_steps": "evaluation_steps",
    "r": "lora_rank",
    "rank": "lora_rank",
    "lora_r": "lora_rank",
    "alpha": "lora_alpha",
    "dropout": "lora_dropout",
    "lora_target": "target_modules",
    "optim": "optimizer",
    "label_smoothing_factor": "label_smoothing",
    "load_best_model_at_end": "output_checkpoint",
    "torch_compile": "compile",
    "auto_find_batch_size": "recover_from_oom",
    "activation_offloading": "activation_offload",
    "generation_max_length": "max_target_length",
    "problem_type": "label_kind",
    "use_rslora": "lora_variant",
    "use_dora": "lora_variant",
    "init_lora_weights": "lora_variant",
    "pissa_init": "lora_variant",
    "loraplus_lr_ratio": "lora_plus_ratio",
    "lorap_lr_ratio": "lora_plus_ratio",
    "load_in_4bit": "quantization",
    "load_in_8bit": "quantization",
    "bnb_4bit_quant_type": "quantization",
    "quantization_bit": "quantization",
    "quant_bits": "quantization",
    "freeze_trainable_layers": "trainable_layers",
    "pref_beta": "beta",
    "kto_chosen_weight": "desirable_weight",
    "kto_rejected_weight": "undesirable_weight",
    "simpo_gamma": "simpo_gamma_ratio",
    "gamma_beta_ratio": "simpo_gamma_ratio",
}
# Where a name elsewhere stands for another number than ours.
_OTHER_NUMBERS = {
    "simpo_gamma": "Elsewhere simpo_gamma is the margin itself, simpo_gamma_ratio × beta: divide "
    "it by beta.",
}
# Knobs that had another name once: specs that were written then are still read.
_FORMER_NAMES = {"simpo_gamma": "simpo_gamma_ratio"}


def under_present_names(knobs: Mapping[str, Any]) -> dict[str, Any]:
    """The knobs of a spec that may have been written before one of them got its name."""
    return {_FORMER_NAMES.get(name, name): value for name, value in knobs.items()}


def under_former_names(knobs: Mapping[str, Any]) -> dict[str, Any]:
    """The other way round: what was told apart by its knobs then stays what it was."""
    former = {present: name for name, present in _FORMER_NAMES.items()}
    return {former.get(name, name): value for name, value in knobs.items()}


def unknown(name: str, known: Collection[str]) -> PydanticCustomError:
    """The error for a name that is not `known`, with the one that was probably meant."""
    meant = NAMES_ELSEWHERE.get(name) or next(iter(get_close_matches(name, known, 1)), None)
    if meant and (note := _OTHER_NUMBERS.get(name)):
        return PydanticCustomError(
            "unknown_hyperparameter",
            "There is no hyper-parameter “{name}”; did you mean “{meant}”? {note}",
            {"name": name, "meant": meant, "note": note},
        )
    if meant:
        return PydanticCustomError(
            "unknown_hyperparameter",
            "There is no hyper-parameter “{name}”; did you mean “{meant}”?",
            {"name": name, "meant": meant},
        )
    return PydanticCustomError(
        "unknown_hyperparameter",
        "There is no hyper-parameter “{name}”; there are: {known}.",
        {"name": name, "known": ", ".join(known)},
    )
