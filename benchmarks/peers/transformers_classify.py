"""transformers' Trainer on the benchmark's texts: `python transformers_classify.py WORK.json`.

Settings: `defaults` computes in float32, padded to the longest of a batch; `best` with
texts of like length in a batch, in bfloat16 where the work says so.
"""

import json
import sys
from pathlib import Path
from typing import Any

import steps
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
)


def main(work_file: str) -> None:
    """Train all weights once over the rows and save the classifier."""
    work = json.loads(Path(work_file).read_text())
    rows = [json.loads(line) for line in Path(work["rows"]).read_text().splitlines()]
    names = sorted({row["label"] for row in rows})
    tokenizer = AutoTokenizer.from_pretrained(work["model"])
    texts = tokenizer([r["text"] for r in rows], truncation=True, max_length=work["max_length"])
    data: list[dict[str, Any]] = [
        {"input_ids": ids, "label": names.index(row["label"])}
        for ids, row in zip(texts["input_ids"], rows, strict=True)
    ]
    best = {"bf16": work["bfloat16"], "train_sampling_strategy": "group_by_length"}
    arguments = TrainingArguments(
        output_dir=work["output"],
        num_train_epochs=1,
        per_device_train_batch_size=work["batch_size"],
        learning_rate=work["learning_rate"],
        lr_scheduler_type="constant",
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        use_cpu=work["device"] == "cpu",
        seed=work["seed"],
        **(best if work["setting"] == "best" else {}),
    )
    model = AutoModelForSequenceClassification.from_pretrained(
        work["model"],
        num_labels=len(names),
        id2label=dict(enumerate(names)),
        label2id={name: number for number, name in enumerate(names)},
    )
    steps.record()
    collator = DataCollatorWithPadding(tokenizer)
    trainer = Trainer(model, arguments, data_collator=collator, train_dataset=data)
    trainer.train()
    trainer.save_model(work["output"])
    tokenizer.save_pretrained(work["output"])


if __name__ == "__main__":
    main(sys.argv[1])
