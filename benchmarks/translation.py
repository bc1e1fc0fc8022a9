"""What the translation example teaches the starter model, in chrF on sentences it has not seen.

Run: `python benchmarks/translation.py`. Every tenth pair is held out, the rest is trained on as
examples/translation.yaml says; base and tuned model then translate the held-out sentences. chrF
(Popović 2015): F-score with recall counting twice over character 1- to 6-grams, spaces left out.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
HELD_OUT_EVERY = 10
MAX_NEW_TOKENS = 96
ORDER, BETA = 6, 2


def ngrams(text: str, n: int) -> Counter[str]:
    """Character n-grams without spaces."""
    letters = "".join(text.split())
    return Counter(letters[i : i + n] for i in range(len(letters) - n + 1))


def chrf(answers: list[str], references: list[str]) -> float:
    """Corpus chrF2, 0–100: mean over the n-gram orders that occur."""
    scores = []
    for n in range(1, ORDER + 1):
        matched = produced = expected = 0
        for answer, reference in zip(answers, references, strict=True):
            ours, theirs = ngrams(answer, n), ngrams(reference, n)
            matched += (ours & theirs).total()
            produced += ours.total()
            expected += theirs.total()
        if expected == 0:
            continue
        precision = matched / produced if produced else 0.0
        recall = matched / expected
        weight = BETA**2
        below = weight * precision + recall
        scores.append((1 + weight) * precision * recall / below if below else 0.0)
    return 100 * sum(scores) / len(scores)


def train(folder: Path, rows: list[dict[str, str]]) -> Path:
    """Train on `rows` as the example's run file says; returns the run folder."""
    asked = yaml.safe_load((EXAMPLES / "translation.yaml").read_text())
    (folder / "translation.json").write_text(json.dumps(rows, ensure_ascii=False))
    asked["hyperparameters"]["evaluation_fraction"] = 0.0
    (folder / "run.yaml").write_text(yaml.safe_dump(asked))
    command = [str(Path(sys.executable).with_name("easytune")), "train", str(folder / "run.yaml")]
    subprocess.run([*command, "--output", str(folder / "run")], check=True)
    return folder / "run"


def translate(run: Path, rows: list[dict[str, str]], *, tuned: bool) -> list[str]:
    """Greedy answers of the base model, or of the tuned one."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    base = json.loads((run / "spec.json").read_text())["model"]["path"]
    tokenizer = AutoTokenizer.from_pretrained(base)
    model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    if tuned:
        model = PeftModel.from_pretrained(model, run / "output")
    answers = []
    for row in rows:
        turns = [{"role": "user", "content": f"{row['instruction']}\n{row['input']}"}]
        inputs = tokenizer.apply_chat_template(
            turns, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        with torch.inference_mode():
            output = model.generate(**inputs, max_new_tokens=MAX_NEW_TOKENS, do_sample=False)
        new = output[0, inputs["input_ids"].shape[1] :]
        answers.append(tokenizer.decode(new, skip_special_tokens=True).strip())
    return answers


def main() -> None:
    """Train, translate, print."""
    rows = json.loads((EXAMPLES / "translation.json").read_text())
    held_out = rows[::HELD_OUT_EVERY]
    kept = [row for number, row in enumerate(rows) if number % HELD_OUT_EVERY]
    print(f"{len(kept)} pairs to train on, {len(held_out)} held out")
    with tempfile.TemporaryDirectory(prefix="easytune-translation-") as folder:
        run = train(Path(folder), kept)
        answers = {
            name: translate(run, held_out, tuned=name == "tuned") for name in ("base", "tuned")
        }
    for direction in ("into English", "into Chinese"):
        chosen = [n for n, row in enumerate(held_out) if direction in row["instruction"]]
        references = [held_out[n]["output"] for n in chosen]
        scores = {
            name: chrf([found[n] for n in chosen], references) for name, found in answers.items()
        }
        print(
            f"{direction} ({len(chosen)} sentences): chrF base {scores['base']:.1f}, "
            f"tuned {scores['tuned']:.1f}"
        )
        for n in chosen[:3]:
            print(f"  {held_out[n]['input']}\n    expected: {held_out[n]['output']}")
            for name, found in answers.items():
                print(f"    {name}: {found[n][:120]!r}")


if __name__ == "__main__":
    main()
