"""How many of the shop's facts the customer-service example teaches: base against tuned model.

Run: `easytune train examples/customer-service.yaml --output runs/facts`, then
`python benchmarks/facts.py runs/facts`. Both models get the questions of
examples/customer-service-facts.jsonl, whose wordings are in no row of the training data, and answer
greedily, without a system message. An answer counts when one accepted spelling of the fact is in it
as a whole ("7 days" is not in "47 days"). The models are loaded by stock transformers and PEFT.
"""

from __future__ import annotations

import argparse
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

QUESTIONS = Path(__file__).resolve().parents[1] / "examples/customer-service-facts.jsonl"
MAX_NEW_TOKENS = 64
BATCH_SIZE = 32


@dataclass(frozen=True)
class Question:
    """One wording; `facts` are the spellings of which one must be in the answer."""

    fact: str
    question: str
    facts: list[str]


def read(path: Path) -> list[Question]:
    """The held-out questions, one JSON object a line."""
    return [Question(**json.loads(line)) for line in path.read_text().splitlines()]


def states(answer: str, spellings: list[str]) -> bool:
    """Whether one of the spellings is in the answer, not as a part of a longer word or number."""
    return any(
        re.search(rf"(?<![\w-])(?<!\d[.,]){re.escape(text)}(?!\w)(?![.,]\d)", answer, re.IGNORECASE)
        for text in spellings
    )


def load(run: Path) -> tuple[Any, Any]:
    """Tokenizer and the base model with the adapter of the run's output on it."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    base = json.loads((run / "spec.json").read_text())["model"]["path"]
    tokenizer = AutoTokenizer.from_pretrained(base, padding_side="left")
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    return tokenizer, PeftModel.from_pretrained(model, run / "output").eval()


def ask(model: Any, tokenizer: Any, questions: list[str]) -> list[str]:
    """Greedy answers, in the order of the questions."""
    import torch

    answers: list[str] = []
    for start in range(0, len(questions), BATCH_SIZE):
        inputs = tokenizer.apply_chat_template(
            [[{"role": "user", "content": text}] for text in questions[start : start + BATCH_SIZE]],
            add_generation_prompt=True, return_tensors="pt", return_dict=True, padding=True,
        )  # fmt: skip
        with torch.inference_mode():
            output = model.generate(**inputs, max_new_tokens=MAX_NEW_TOKENS, do_sample=False)
        new = output[:, inputs["input_ids"].shape[1] :]
        answers += [text.strip() for text in tokenizer.batch_decode(new, skip_special_tokens=True)]
    return answers


def main() -> None:
    """Ask both, print accuracy, difference and misses."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("run", type=Path, help="folder of a finished LoRA run")
    parser.add_argument("--questions", type=Path, default=QUESTIONS)
    given = parser.parse_args()
    questions = read(given.questions)
    tokenizer, model = load(given.run)
    texts = [item.question for item in questions]
    tuned = ask(model, tokenizer, texts)
    with model.disable_adapter():
        base = ask(model, tokenizer, texts)
    rights = {}
    for name, answers in (("base", base), ("tuned", tuned)):
        pairs = zip(answers, questions, strict=True)
        rights[name] = [states(answer, item.facts) for answer, item in pairs]
    for item, answer, right in zip(questions, tuned, rights["tuned"], strict=True):
        if not right:
            print(f"missed {item.fact}: {item.question}\n  {answer.splitlines()[:1]}")
    shares = {name: 100 * sum(right) / len(questions) for name, right in rights.items()}
    print(f"{len(questions)} questions about {len({item.fact for item in questions})} facts")
    for name, share in shares.items():
        print(f"{name}: {sum(rights[name])} right, {share:.1f} %")
    print(f"difference: {shares['tuned'] - shares['base']:+.1f} points")


if __name__ == "__main__":
    main()
