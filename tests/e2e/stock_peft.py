"""Answers a prompt with a downloaded artefact: stock transformers and PEFT, nothing of EasyTune.

Usage: python -I stock_peft.py ARTEFACT.zip BASE_MODEL_DIR < {"prompt": …, "system": …}
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
    """Print the greedy answers as JSON."""
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
    answers = []
    # On a loaded CPU the first forward pass of a process now and then rounds differently (seen in
    # about one process of thirty, with these libraries alone), and a near tie then goes the other
    # way: what stock says is what it says in any of three.
    for _ in range(3):
        with torch.no_grad():
            answer = model.generate(**tokens, max_new_tokens=256, do_sample=False)
        answers.append(tokenizer.decode(answer[0, begin:], skip_special_tokens=True))
    print(json.dumps({"answers": answers}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
