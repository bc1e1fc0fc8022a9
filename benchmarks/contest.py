"""Who takes part in `training.py`, and how each is started."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from work import ROOT, Work

sys.path.insert(0, str(ROOT))

from training_engine.tuning import ALLOCATOR

PEERS = {
    "trl": "trl_sft.py",
    "llamafactory": "llamafactory_sft.py",
    "swift": "swift_sft.py",
    "transformers": "transformers_classify.py",
}
# TRL's defaults are what most people run; the others are shown at their best documented settings.
SETTINGS = {
    "trl": ("defaults", "best"),
    "llamafactory": ("best",),
    "swift": ("best",),
    "transformers": ("defaults", "best"),
}
CLASSIFIERS = {"transformers"}


@dataclass(frozen=True)
class Contestant:
    """A trainer in one setting. `python` None: EasyTune itself."""

    name: str
    peer: str | None = None
    setting: str = ""
    python: Path | None = None
    allocator: bool = False

    @property
    def slug(self) -> str:
        """The name as a file name."""
        return "".join(c if c.isalnum() else "-" for c in self.name)

    def start(self, work: Work, folder: Path, seed: int) -> tuple[list[str], dict[str, str]]:
        """Write what it reads into `folder`; returns its command line and environment."""
        environment = {k: v for k, v in os.environ.items() if k not in ALLOCATOR}
        environment |= {"BENCHMARK_STEPS": str(folder / "steps.jsonl"), "TQDM_DISABLE": "1"}
        environment |= {"HF_HUB_OFFLINE": "1"}
        if work.device == "cpu":
            environment |= {"CUDA_VISIBLE_DEVICES": ""}
        if self.peer is None or self.python is None:
            (folder / "spec.json").write_text(json.dumps(_spec(work, seed)))
            return [sys.executable, "-m", "training_engine", str(folder)], environment
        (folder / "work.json").write_text(
            json.dumps(work.for_peer(self.setting, folder / "output", seed))
        )
        if self.allocator:
            environment |= ALLOCATOR
        script = Path(__file__).parent / "peers" / PEERS[self.peer]
        return [str(self.python), str(script), str(folder / "work.json")], environment


def contestants(venvs: dict[str, str], objective: str) -> list[Contestant]:
    """EasyTune first, then every peer for this work whose environment is known, in all settings."""
    found = [Contestant("EasyTune")]
    for peer, venv in venvs.items():
        if (peer in CLASSIFIERS) != (objective == "classify"):
            continue
        python = Path(venv).absolute() / "bin/python"
        for setting in SETTINGS[peer]:
            name = f"{peer}, {setting}"
            found.append(Contestant(name, peer, setting, python))
            found.append(Contestant(f"{name}, our allocator", peer, setting, python, True))
    return found


def _spec(work: Work, seed: int) -> dict[str, object]:
    """The work as a run of ours; nothing is evaluated, the result is saved at the end."""
    classify = work.objective == "classify"
    return {
        "run_id": "benchmark",
        "name": "benchmark",
        "model": {"name": "benchmark/model", "path": str(work.model)},
        "dataset": {
            "name": "rows",
            "path": str(work.rows),
            "sha256": "0" * 64,
            "num_rows": work.count,
            "record_type": "classification" if classify else "conversational",
        },
        "objective": work.objective,
        "method": "full" if classify else "lora",
        "output_name": "benchmark",
        "device": work.device,
        "hyperparameters": {
            "epochs": 1, "batch_size": work.batch_size, "max_length": work.max_length,
            "learning_rate": work.learning_rate, "schedule": "constant", "warmup_ratio": 0,
            "lora_rank": work.rank, "lora_alpha": work.alpha, "lora_dropout": 0,
            "evaluation_fraction": 0, "seed": seed, "leave_out_overlong": not classify,
            "save_steps": work.steps,
        },
    }  # fmt: skip
