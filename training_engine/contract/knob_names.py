"""What other trainers call the knobs: a name that we do not know is answered with the one we do."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches

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
}


def refuse_unknown(values: Mapping[str, object], known: Collection[str]) -> None:
    """Raise `PydanticCustomError` for the first name in `values` that is not `known`."""
    for name in values:
        if name in known:
            continue
        meant = NAMES_ELSEWHERE.get(name) or next(iter(get_close_matches(name, known, 1)), None)
        if meant:
            raise PydanticCustomError(
                "unknown_hyperparameter",
                "There is no hyper-parameter “{name}”; did you mean “{meant}”?",
                {"name": str(name), "meant": meant},
            )
        raise PydanticCustomError(
            "unknown_hyperparameter",
            "There is no hyper-parameter “{name}”; there are: {known}.",
            {"name": str(name), "known": ", ".join(known)},
        )
