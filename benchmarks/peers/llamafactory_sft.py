"""LLaMA-Factory on the benchmark's work: `python llamafactory_sft.py WORK.json`.

Setting `best`: neat packing, no gradient checkpointing, bfloat16 where the work says so.
"""

import importlib.machinery
import importlib.util
import json
import sys
import types
from pathlib import Path

import steps

if importlib.util.find_spec("torchaudio") is None:
    # It is imported for audio models only, and has no build for torch without CUDA.
    stand_in = types.ModuleType("torchaudio")
    stand_in.__spec__ = importlib.machinery.ModuleSpec("torchaudio", None)
    sys.modules["torchaudio"] = stand_in

from llamafactory.train.tuner import run_exp


def main(work_file: str) -> None:
    """Train once over the rows and save the adapter."""
    work = json.loads(Path(work_file).read_text())
    rows = Path(work["rows"])
    tags = {"role_tag": "role", "content_tag": "content"}
    tags |= {"user_tag": "user", "assistant_tag": "assistant", "system_tag": "system"}
    described = {
        "rows": {
            "file_name": rows.name,
            "formatting": "sharegpt",
            "columns": {"messages": "messages"},
            "tags": tags,
        }
    }
    (rows.parent / "dataset_info.json").write_text(json.dumps(described))
    steps.record()
    run_exp(
        {
            "model_name_or_path": work["model"],
            "stage": "sft",
            "do_train": True,
            "finetuning_type": "lora",
            "lora_rank": work["rank"],
            "lora_alpha": work["alpha"],
            "lora_target": "all",
            "dataset": "rows",
            "dataset_dir": str(rows.parent),
            "template": work["llamafactory_template"],
            "cutoff_len": work["max_length"],
            "packing": True,
            "neat_packing": True,
            "disable_gradient_checkpointing": True,
            "bf16": work["bfloat16"],
            # Without it the model would be kept in the type of its files.
            "infer_dtype": "auto" if work["bfloat16"] else "float32",
            "use_cpu": work["device"] == "cpu",
            "per_device_train_batch_size": work["packs_at_once"],
            "gradient_accumulation_steps": work["packs_per_step"] // work["packs_at_once"],
            "learning_rate": work["learning_rate"],
            "lr_scheduler_type": "constant",
            "num_train_epochs": 1,
            "logging_steps": 1,
            # Packs make more steps than rows would: the loss is measured after equally many.
            "save_strategy": "steps",
            "save_steps": work["steps"],
            "save_only_model": True,
            "report_to": "none",
            "output_dir": work["output"],
            "seed": work["seed"],
        }
    )


if __name__ == "__main__":
    main(sys.argv[1])
