"""Loss of a classifier on held-out texts, the same way for every trainer.

`python held_out_classes.py MODEL ROWS MAX_LENGTH` prints mean loss and accuracy: stock
transformers, float32, one text at a time.
"""

import json
import sys
from pathlib import Path

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer


def main(model_dir: str, rows: str, longest: str) -> None:
    """Measure and print."""
    tokenizer = AutoTokenizer.from_pretrained(model_dir)
    model = AutoModelForSequenceClassification.from_pretrained(model_dir, dtype=torch.float32)
    model.eval()
    classes = {name: number for number, name in model.config.id2label.items()}
    total, right, count = 0.0, 0, 0
    for line in Path(rows).read_text().splitlines():
        row = json.loads(line)
        text = tokenizer(row["text"], return_tensors="pt", truncation=True, max_length=int(longest))
        target = torch.tensor([classes[row["label"]]])
        with torch.inference_mode():
            scores = model(**text).logits
        total += float(torch.nn.functional.cross_entropy(scores, target))
        right += int(scores.argmax(dim=1) == target)
        count += 1
    print(json.dumps({"loss": total / count, "accuracy": right / count}))


if __name__ == "__main__":
    main(*sys.argv[1:])
