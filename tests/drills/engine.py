"""An engine for drills about processes: it trains nothing, and is exact about everything else.

`python -m tests.drills.engine RUN_DIR`. A JSON object at the end of the run's name says how it
behaves: `steps`, `step_s`, `save_every`. It goes on from its checkpoint at the next step, prints
one line and one metric per step, and proves that it is alone: all attempts of a run share one
lock, which the kernel frees when a process is gone.
"""

import fcntl
import hashlib
import json
import os
import signal
import sys
import time
from pathlib import Path

from training_engine.contract.event_writer import EventWriter
from training_engine.contract.failpoints import reach
from training_engine.contract.names import (
    CHECKPOINTS_DIR,
    CONTROL_DIR,
    MANIFEST_FILE,
    OUTPUT_DIR,
    SPEC_FILE,
    STOP_AND_SAVE_COMMAND,
    STOP_COMMAND,
    ExitCode,
)

OWNER_FILE = "owner"
# Whoever is not alone writes this, and the checker finds it.
DOUBLE_FILE = "two-engines-at-once"
ENGINES_FILE = "engines"
SAVE_EVERY = 5


def own(run_dir: Path) -> int:
    """Hold the lock of all attempts of this run; note in the folder that an engine was here."""
    with (run_dir / ENGINES_FILE).open("a") as engines:
        engines.write(f"{os.getpid()}\n")
    descriptor = os.open(run_dir.parent / OWNER_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        (run_dir.parent / DOUBLE_FILE).write_text(f"{run_dir} pid {os.getpid()}\n")
    return descriptor


def save(run_dir: Path, step: int, events: EventWriter) -> str:
    """A checkpoint of nothing but a manifest that appears whole."""
    name = f"step-{step:08d}"
    parent = run_dir / CHECKPOINTS_DIR
    temporary, folder = parent / f".tmp-{step}", parent / name
    if not folder.exists():
        temporary.mkdir(parents=True, exist_ok=True)
        content = json.dumps({"step": step, "files": {}})
        (temporary / MANIFEST_FILE).write_text(content)
        reach("checkpoint.before_rename")
        temporary.rename(folder)
    digest = hashlib.sha256((folder / MANIFEST_FILE).read_bytes()).hexdigest()
    events.write("checkpoint", step=step, name=name, size_bytes=64, manifest_sha256=digest)
    reach("checkpoint.told")
    return name


def main(run_dir: Path) -> int:
    """Steps until the end or a request to stop."""
    spec = json.loads((run_dir / SPEC_FILE).read_text())
    name = spec["name"]
    manner = json.loads(name[name.index("{") :]) if "{" in name else {}
    steps, step_s = manner.get("steps", 20), manner.get("step_s", 0.02)
    told: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: told.append(number))
    owner = own(run_dir)
    reach("engine.started")
    source = spec.get("resume_from")
    first = int(Path(source).name.removeprefix("step-")) if source else 0
    control = run_dir / CONTROL_DIR
    with EventWriter(run_dir) as events:
        events.write("started", device="cpu", dtype="float32", device_reason="drill", versions={})
        for step in range(first + 1, steps + 1):
            time.sleep(step_s)
            reach("engine.step")
            print(f"step {step}/{steps}", flush=True)
            events.write("metrics", step=step, values={"loss": 1.0 / step})
            events.write(
                "progress", phase="training", step=step, total_steps=steps, fraction=step / steps
            )
            if (control / STOP_COMMAND).exists():
                events.write("stopped", step=step)
                return ExitCode.STOPPED
            if (control / STOP_AND_SAVE_COMMAND).exists() or told:
                events.write("stopped", step=step, checkpoint=save(run_dir, step, events))
                return ExitCode.STOPPED
            if step % manner.get("save_every", SAVE_EVERY) == 0:
                save(run_dir, step, events)
        (run_dir / OUTPUT_DIR).mkdir(exist_ok=True)
        (run_dir / OUTPUT_DIR / "README.md").write_text("# Nothing was trained\n")
        reach("engine.before_finished")
        events.write("finished", step=steps, metrics={"eval_loss": 0.5}, output_bytes=22)
    os.close(owner)
    return ExitCode.FINISHED


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
