"""ms-swift on the benchmark's work: `python swift_sft.py WORK.json`.

Setting `best`: micro-batch 1, no gradient checkpointing, bfloat16 where the work says so.
"""

import json
import sys
from pathlib import Path

import steps
from swift import sft_main


def main(work_file: str) -> None:
    """Train once over the rows and save the adapter."""
    work = json.loads(Path(work_file).read_text())
    steps.record()
    # Rows are padded to the longest of a pass: on a CPU one at a time is fastest.
    rows_at_once = 1 if work["device"] == "cpu" else work["batch_size"]
    options = {
        "model": work["model"],
        # Any Llama; the jinja backend renders the template that lies in the model's folder.
        "model_type": "llama",
        "template": "chatml",
        "template_backend": "jinja",
        "tuner_type": "lora",
        "lora_rank": work["rank"],
        "lora_alpha": work["alpha"],
        "lora_dropout": 0,
        "target_modules": "all-linear",
        "dataset": work["rows"],
        "split_dataset_ratio": 0,
        "max_length": work["max_length"],
        "truncation_strategy": "right",
        "torch_dtype": "bfloat16" if work["bfloat16"] else "float32",
        "bf16": str(work["bfloat16"]).lower(),
        "gradient_checkpointing": "false",
        "use_cpu": str(work["device"] == "cpu").lower(),
        "per_device_train_batch_size": rows_at_once,
        "gradient_accumulation_steps": work["batch_size"] // rows_at_once,
        "learning_rate": work["learning_rate"],
        "lr_scheduler_type": "constant",
        "warmup_ratio": 0,
        "num_train_epochs": 1,
        "logging_steps": 1,
        "save_strategy": "epoch",
        "report_to": "none",
        "output_dir": work["output"],
        "seed": work["seed"],
    }
    sft_main([part for key, value in options.items() for part in (f"--{key}", str(value))])


if __name__ == "__main__":
    main(sys.argv[1])
