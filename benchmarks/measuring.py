"""Runs one contestant of `training.py` and reads what it did."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psutil
import pynvml
from contest import ROOT, Contestant
from work import Work

SAMPLE_S = 0.25  # looking takes a processor from those who compute


@dataclass(frozen=True)
class Measured:
    """One run.

    `tokens_per_s`: real tokens from the end of the first step to the end of the last, each step
    taken for an equal share of the work; `whole_run`: all tokens over the life of the process.
    """

    tokens_per_s: float
    whole_run: float
    cpu_s: float
    peak_bytes: int
    first_step_s: float
    steps: int
    result: Path


class _Memory(threading.Thread):
    """Samples the resident memory of a process and its descendants, or what a GPU holds more."""

    def __init__(self, pid: int, device: str) -> None:
        super().__init__(daemon=True)
        self._root, self.peak = psutil.Process(pid), 0
        self._gpu = _Gpu() if device == "cuda" else None

    def run(self) -> None:
        """Until the process is gone."""
        try:
            while self._root.is_running() and self._root.status() != psutil.STATUS_ZOMBIE:
                self.peak = max(self.peak, self._held())
                time.sleep(SAMPLE_S)
        except psutil.NoSuchProcess:
            return

    def _held(self) -> int:
        if self._gpu is not None:
            return self._gpu.more()
        family = [self._root, *self._root.children(recursive=True)]
        return sum(map(_resident, family))


class _Gpu:
    """Memory of the first NVIDIA GPU, which nobody else may use meanwhile."""

    def __init__(self) -> None:
        pynvml.nvmlInit()
        self._gpu = pynvml.nvmlDeviceGetHandleByIndex(0)
        self._before = self._used()

    def _used(self) -> int:
        return int(pynvml.nvmlDeviceGetMemoryInfo(self._gpu).used)

    def more(self) -> int:
        """Bytes in use beyond those at the start."""
        return self._used() - self._before


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def _warm(contestant: Contestant, work: Work, folder: Path, seed: int) -> None:
    """Begin it and end it after its first step, so that its files are in memory.

    While others run for minutes the system may give them up, and then the disk is measured.
    """
    folder.mkdir(parents=True)
    argv, environment = contestant.start(work, folder, seed)
    nowhere = subprocess.DEVNULL
    child = psutil.Popen(argv, cwd=ROOT, env=environment, stdout=nowhere, stderr=nowhere)
    while child.poll() is None and not _steps(folder)[0]:
        time.sleep(SAMPLE_S)
    family = [child, *child.children(recursive=True)] if child.poll() is None else []
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    child.wait()


def measure(contestant: Contestant, work: Work, folder: Path, seed: int) -> Measured:
    """Run it once in `folder`. Raises `SystemExit` when it fails or shows no gradient."""
    _warm(contestant, work, folder / "warm-up", seed)
    argv, environment = contestant.start(work, folder, seed)
    with (folder / "output.log").open("wb") as log:
        begun = time.time()
        child = subprocess.Popen(argv, cwd=ROOT, env=environment, stdout=log, stderr=log)
        memory = _Memory(child.pid, work.device)
        memory.start()
        _, status, used = os.wait4(child.pid, 0)
        ended = time.time()
    child.returncode = os.waitstatus_to_exitcode(status)
    memory.join()
    ends, norms = _steps(folder)
    saved = "model.safetensors" if work.objective == "classify" else "adapter_config.json"
    results = sorted((folder / "output").rglob(saved))
    if child.returncode or len(ends) < 2 or not results:
        raise SystemExit(f"{contestant.name} failed: see {folder} (use --keep to look at it).")
    if not norms or not all(norm > 0 for norm in norms):
        raise SystemExit(f"{contestant.name} trained without a gradient: {norms}.")
    share = (len(ends) - 1) / len(ends)
    return Measured(
        tokens_per_s=work.tokens * share / (ends[-1] - ends[0]),
        whole_run=work.tokens / (ended - begun),
        cpu_s=used.ru_utime + used.ru_stime,
        peak_bytes=memory.peak,
        first_step_s=ends[0] - begun,
        steps=len(ends),
        result=_result(results, work.steps),
    )


def _result(files: list[Path], steps: int) -> Path:
    """The one after so many steps where checkpoints are kept: packs may make a step more."""
    folders = [each.parent for each in files]
    return next((each for each in folders if each.name == f"checkpoint-{steps}"), folders[-1])


def _steps(folder: Path) -> tuple[list[float], list[float]]:
    """When steps ended (seconds since the epoch), and the gradient norms that were reported."""
    ours, theirs = folder / "events.jsonl", folder / "steps.jsonl"
    ends, norms = [], []
    if ours.is_file():
        for line in ours.read_text().splitlines():
            event = json.loads(line)
            if event["type"] == "metrics" and "grad_norm" in event["values"]:
                ends.append(datetime.fromisoformat(event["at"]).timestamp())
                norms.append(event["values"]["grad_norm"])
    elif theirs.is_file():
        for line in theirs.read_text().splitlines():
            facts = json.loads(line)
            if "step" in facts:
                ends.append(facts["at"])
            if "grad_norm" in facts:
                norms.append(facts["grad_norm"])
    return ends, norms
