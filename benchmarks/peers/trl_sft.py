"""TRL's SFTTrainer on the benchmark's work: `python trl_sft.py WORK.json`.

Settings: `defaults` leaves everything to TRL but what the work itself says; `best` is packed,
without gradient checkpointing, in bfloat16 where the work says so, on a GPU by Liger where that is
installed.
"""

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import steps
from datasets import Dataset
from peft import LoraConfig
from trl import SFTConfig, SFTTrainer


def main(work_file: str) -> None:
    """Train once over the rows and save the adapter."""
    work = json.loads(Path(work_file).read_text())
    rows = [json.loads(line) for line in Path(work["rows"]).read_text().splitlines()]
    data = Dataset.from_list(
        [{"prompt": r["messages"][:-1], "completion": r["messages"][-1:]} for r in rows]
    )
    if work["setting"] == "best":
        chosen = {
            "bf16": work["bfloat16"],
            "packing": True,
            "gradient_checkpointing": False,
            "per_device_train_batch_size": work["packs_at_once"],
            "gradient_accumulation_steps": work["packs_per_step"] // work["packs_at_once"],
            "use_liger_kernel": work["device"] == "cuda" and find_spec("liger_kernel") is not None,
            "model_init_kwargs": {"dtype": "bfloat16" if work["bfloat16"] else "float32"},
        }
    else:
        chosen = {"per_device_train_batch_size": work["batch_size"]}
    config = SFTConfig(
        output_dir=work["output"],
        num_train_epochs=1,
        max_length=work["max_length"],
        learning_rate=work["learning_rate"],
        lr_scheduler_type="constant",
        logging_steps=1,
        # Packs make more steps than rows would: the loss is measured after equally many.
        save_strategy="steps",
        save_steps=work["steps"],
        save_only_model=True,
        report_to="none",
        use_cpu=work["device"] == "cpu",
        seed=work["seed"],
        **chosen,
    )
    adapter = LoraConfig(
        r=work["rank"], lora_alpha=work["alpha"], target_modules="all-linear", task_type="CAUSAL_LM"
    )
    steps.record()
    trainer = SFTTrainer(work["model"], args=config, train_dataset=data, peft_config=adapter)
    trainer.train()
    trainer.save_model(work["output"])


if __name__ == "__main__":
    main(sys.argv[1])
