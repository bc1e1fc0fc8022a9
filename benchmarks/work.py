"""The work that every trainer of `training.py` does: rows, model, settings."""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
# as-is: rows as they are; long: rows joined to conversations of nearly 2048 tokens; short: the
# first words of each turn; classify: texts with labels, of which an encoder learns the classes.
CLASSIFY = "classify"
SHAPES = ("as-is", "long", "short", CLASSIFY)
ROWS = {CLASSIFY: ROOT / "examples/sentiment.csv"}
EXAMPLE = ROOT / "examples/customer-service.jsonl"
DEVICES = ("cpu", "cuda")
# Tokens that peers compute at once: a GPU starves on a single pack.
TOKENS_AT_ONCE = {"cpu": 1, "cuda": 16_384}
LONG, SHORT_WORDS = 2048, 12
NUMBERS = ("bfloat16", "float32")
Row = dict[str, Any]


@dataclass(frozen=True)
class Work:
    """Everyone trains once over `rows`, a JSON-lines file of `messages`, or of `text` and `label`.

    `objective`: sft by LoRA, or classify by all weights. `numbers`: the type in which peers compute
    at their best settings; EasyTune chooses its own.
    """

    model: Path
    rows: Path
    held_out: Path
    count: int
    tokens: int  # of the rows, in the model's chat template, cut at max_length
    steps: int
    max_length: int
    batch_size: int = 8
    device: str = "cpu"
    learning_rate: float = 2e-4
    rank: int = 16
    alpha: int = 32
    objective: str = "sft"
    numbers: str = "bfloat16"

    @property
    def packs_per_step(self) -> int:
        """Packs of `max_length` tokens that hold about one batch of rows."""
        return max(1, round(self.batch_size * self.tokens / self.count / self.max_length))

    @property
    def packs_at_once(self) -> int:
        """Packs that a peer computes in one pass: the most that fit and divide a step."""
        most = max(1, TOKENS_AT_ONCE[self.device] // self.max_length)
        return max(n for n in range(1, most + 1) if self.packs_per_step % n == 0)

    def for_peer(self, setting: str, output: Path, seed: int) -> dict[str, Any]:
        """What a peer's script reads."""
        return {
            "model": str(self.model), "rows": str(self.rows), "output": str(output),
            "setting": setting, "max_length": self.max_length, "batch_size": self.batch_size,
            "packs_per_step": self.packs_per_step, "packs_at_once": self.packs_at_once,
            "steps": self.steps, "device": self.device,
            "learning_rate": self.learning_rate, "rank": self.rank, "alpha": self.alpha,
            "seed": seed, "llamafactory_template": "smollm2",
            "bfloat16": self.numbers == "bfloat16",
        }  # fmt: skip


def prepare(folder: Path, given: argparse.Namespace) -> Work:
    """Write the rows, convert the starter model when none is named, count the tokens."""
    classes = given.shape == CLASSIFY
    reference = "starter-encoder" if classes else "starter"
    model = given.model or starter(folder / "model", reference)
    tokenizer = _tokenizer(model)
    longest = LONG if given.shape == "long" else given.max_length
    given_rows = given.rows or ROWS.get(given.shape, EXAMPLE)
    rows = labelled(given_rows) if classes else _shaped(read(given_rows), given.shape, tokenizer)
    held = rows[: min(given.held_out, len(rows) // 3)]
    size = given.batch_size
    steps = min(given.steps, (len(rows) - len(held)) // size)
    if steps < 2:
        raise SystemExit(f"{given_rows} has too few rows for this shape.")
    train = rows[len(held) : len(held) + steps * size]
    paths = folder / "rows.jsonl", folder / "held-out.jsonl"
    for path, part in zip(paths, (train, held), strict=True):
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in part))
    tokens = sum(min(_length(row, tokenizer), longest) for row in train)
    counts = len(train), tokens, steps, longest, size, given.device
    objective = "classify" if classes else "sft"
    numbers = given.peers_in or best_numbers(given.device)
    return Work(Path(model).resolve(), *paths, *counts, objective=objective, numbers=numbers)


def best_numbers(device: str) -> str:
    """bfloat16 where there are instructions for it; elsewhere a CPU is faster in float32."""
    if device != "cpu":
        return "bfloat16"
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return "float32"
    return "bfloat16" if re.search(r"\b(avx512_bf16|amx_bf16|bf16)\b", flags) else "float32"


def starter(target: Path, reference: str) -> Path:
    """A starter model, converted from the package that holds it."""
    if not (target / "config.json").is_file():
        run = target.parent / "convert"
        run.mkdir(parents=True, exist_ok=True)
        spec = {"run_id": "convert", "target": str(target), "starter": reference}
        (run / "spec.json").write_text(json.dumps(spec))
        module = "training_engine.export.convert_starter"
        argv = [sys.executable, "-m", "training_engine", str(run), "--child", module]
        if subprocess.run(argv, cwd=ROOT, check=False).returncode:
            raise SystemExit(f"The starter model was not converted: see {run}.")
    return target


def read(path: Path) -> list[Row]:
    """Conversations of a file: JSON lines or a JSON list; messages, or Alpaca's three fields."""
    text = path.read_text("utf-8")
    found = json.loads(text) if text.startswith("[") else map(json.loads, text.splitlines())
    return [_conversation(row) for row in found]


def labelled(path: Path) -> list[Row]:
    """Texts with their labels, of a table, in an order of its own."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = [{"text": row["text"], "label": row["label"]} for row in csv.DictReader(file)]
    return sorted(rows, key=lambda row: hashlib.sha256(row["text"].encode()).digest())


def _conversation(row: Row) -> Row:
    if "messages" in row:
        return {"messages": row["messages"]}
    asked = "\n".join(part for part in (row["instruction"], row.get("input", "")) if part)
    turns = [{"role": "user", "content": asked}, {"role": "assistant", "content": row["output"]}]
    return {"messages": turns}


def _shaped(rows: list[Row], shape: str, tokenizer: Any) -> list[Row]:
    if shape == "short":
        return [{"messages": [_cut(turn) for turn in row["messages"]]} for row in rows]
    if shape == "as-is":
        return rows
    found: list[Row] = []
    length = LONG
    for row in rows:
        more = _length(row, tokenizer)
        if length + more > LONG:
            found.append({"messages": []})
            length = 0
        found[-1]["messages"] += row["messages"]
        length += more
    return found


def _cut(turn: dict[str, str]) -> dict[str, str]:
    return {**turn, "content": " ".join(turn["content"].split()[:SHORT_WORDS])}


def _tokenizer(model: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(model)


def _length(row: Row, tokenizer: Any) -> int:
    if "text" in row:
        return len(tokenizer(row["text"])["input_ids"])
    text = tokenizer.apply_chat_template(row["messages"], tokenize=False).rstrip("\n")
    return len(tokenizer(text, add_special_tokens=False)["input_ids"])
