"""Answers a prompt with a downloaded artefact: stock transformers and PEFT, nothing of EasyTune.

Usage: python -I stock_peft.py ARTEFACT.zip BASE_MODEL_DIR < {"prompt": …, "system": …, "answer": …}
Prints a greedy answer, and how far the tokens of the given one are from the likeliest at worst.
"""

import json
import sys
import tempfile
import zipfile
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer


def main(archive: str, base_dir: str) -> None:
    """Print the greedy answer and the gap of the given one, in logits, as JSON."""
    asked = json.loads(sys.stdin.read())
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(archive).extractall(folder)
        adapter = next(Path(folder).rglob("adapter_config.json")).parent
        # The data type that the platform answers in on this host.
        dtype = asked.get("dtype", "auto")
        base = AutoModelForCausalLM.from_pretrained(base_dir, dtype=dtype)
        model = PeftModel.from_pretrained(base, str(adapter)).eval()
        tokenizer = AutoTokenizer.from_pretrained(str(adapter))
    messages = [{"role": "user", "content": asked["prompt"]}]
    if asked.get("system"):
        messages.insert(0, {"role": "system", "content": asked["system"]})
    tokens = tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    begin = tokens["input_ids"].shape[1]
    with torch.no_grad():
        greedy = model.generate(**tokens, max_new_tokens=256, do_sample=False)
        given = tokenizer(asked["answer"], add_special_tokens=False, return_tensors="pt").input_ids
        row = torch.cat([tokens["input_ids"], given], dim=1)
        logits = model(input_ids=row).logits[0, begin - 1 : -1].float()
    chosen = logits.gather(-1, given[0, :, None])[:, 0]
    gap = float((logits.amax(-1) - chosen).max())
    print(json.dumps({"answer": tokenizer.decode(greedy[0, begin:], True), "gap": gap}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
