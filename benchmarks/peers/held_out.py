"""Loss of an adapter on held-out rows, the same way for every trainer.

`python held_out.py MODEL ROWS MAX_LENGTH [ADAPTER]` prints the mean loss of the answers' tokens:
stock transformers and PEFT, float32, one row at a time.
"""

import json
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


def main(model_dir: str, rows: str, longest: str, adapter: str | None = None) -> None:
    """Measure and print."""
    tokenizer = AutoTokenizer.from_pretrained(model_dir)
    model = AutoModelForCausalLM.from_pretrained(model_dir, dtype=torch.float32).eval()
    if adapter:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, adapter).eval()
    total, count = 0.0, 0
    for line in Path(rows).read_text().splitlines():
        messages = json.loads(line)["messages"]
        begin = messages[:-1]
        render = tokenizer.apply_chat_template
        prompt = render(begin, add_generation_prompt=True, tokenize=False)
        # What follows the end of the answer's turn is the template's, not the answer's.
        text = render(messages, tokenize=False).rstrip("\n")
        ids = tokenizer(text, add_special_tokens=False)["input_ids"][: int(longest)]
        start = len(tokenizer(prompt, add_special_tokens=False)["input_ids"])
        if start >= len(ids):
            continue
        row = torch.tensor([ids])
        with torch.inference_mode():
            kept = model(input_ids=row, logits_to_keep=len(ids) - start + 1).logits
        logits = kept[0, :-1].float()
        total += float(torch.nn.functional.cross_entropy(logits, row[0, start:], reduction="sum"))
        count += len(ids) - start
    print(json.dumps({"loss": total / count, "tokens": count}))


if __name__ == "__main__":
    main(*sys.argv[1:])
