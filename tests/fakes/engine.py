"""An engine that obeys, crashes, hangs or floods on request: `--child tests.fakes.engine`.

What it does stands in `spec.json` under "fake", or as JSON in the variable EASYTUNE_FAKE:
`steps`, `step_s`, `device`, `peak_device_bytes`; at a step: `crash_at` (traceback), `kill_at`
(with `signal`, default 9), `exit_at` (with `exit_code`, no last event), `fail_at` (with `code`),
`hang_at` (silent; with `stubborn` it ignores SIGTERM too), `flood_at` (with `lines`), `spawn_at`
(a child that stays).
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

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


class Crash(Exception):
    """Asked for."""


def misbehave(fake: dict, step: int, events: EventWriter) -> None:
    """Whatever is asked for at this step."""
    if step == fake.get("flood_at"):
        sys.stdout.write("".join(f"flood {i}\n" for i in range(fake.get("lines", 100_000))))
    if step == fake.get("spawn_at"):
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    if step == fake.get("crash_at"):
        raise Crash(f"asked to crash at step {step}")
    if step == fake.get("kill_at"):
        os.kill(os.getpid(), fake.get("signal", signal.SIGKILL))
    if step == fake.get("exit_at"):
        os._exit(fake.get("exit_code", 7))
    if step == fake.get("fail_at"):
        events.write(
            "failed", code=fake.get("code", "internal"), message="It failed.", hint="Retry."
        )
        sys.exit(ExitCode.FAILED)
    if step == fake.get("hang_at"):
        if fake.get("stubborn"):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            time.sleep(60)


def save(run_dir: Path, step: int, events: EventWriter) -> str:
    """A checkpoint that holds nothing but its manifest, and appears whole; its name."""
    name = f"step-{step:08d}"
    parent = run_dir / CHECKPOINTS_DIR
    temporary, folder = parent / f".tmp-{step}", parent / name
    if not folder.exists():
        temporary.mkdir(parents=True, exist_ok=True)
        (temporary / MANIFEST_FILE).write_text(json.dumps({"step": step, "files": {}}))
        reach("checkpoint.before_rename")
        temporary.rename(folder)
    content = (folder / MANIFEST_FILE).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    events.write(
        "checkpoint", step=step, name=name, size_bytes=len(content), manifest_sha256=digest
    )
    reach("checkpoint.told")
    return name


def tell(events: EventWriter, step: int, steps: int, more: dict[str, Any], **values: float) -> None:
    """What a step says beside its line in the log; `more` of its progress."""
    events.write("metrics", step=step, values=values)
    done = step / steps
    events.write("progress", phase="training", step=step, total_steps=steps, fraction=done, **more)


def obeyed(run_dir: Path, step: int, events: EventWriter, terminated: list[int]) -> bool:
    """Whether it was asked to stop, and has said that it did."""
    control = run_dir / CONTROL_DIR
    if (control / STOP_COMMAND).exists():
        events.write("stopped", step=step)
        return True
    if (control / STOP_AND_SAVE_COMMAND).exists() or terminated:
        events.write("stopped", step=step, checkpoint=save(run_dir, step, events))
        return True
    return False


def finish(run_dir: Path, steps: int, events: EventWriter, **more: Any) -> None:
    """A result, and the last event."""
    output = run_dir / OUTPUT_DIR
    output.mkdir(exist_ok=True)
    (output / "README.md").write_text("# Nothing was trained\n")
    reach("engine.before_finished")
    events.write("finished", step=steps, metrics={"eval_loss": 0.5}, output_bytes=22, **more)


def main(run_dir: Path) -> int:
    """Steps with events and log lines until the end, a stop or a misbehaviour."""
    spec = json.loads((run_dir / SPEC_FILE).read_text())
    fake = spec.get("fake") or json.loads(os.environ.get("EASYTUNE_FAKE", "{}"))
    steps = fake.get("steps", 5)
    terminated: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: terminated.append(number))
    with EventWriter(run_dir) as events:
        device = fake.get("device", "cpu")
        events.write("started", device=device, dtype="float32", device_reason="fake", versions={})
        for step in range(1, steps + 1):
            time.sleep(fake.get("step_s", 0.05))
            misbehave(fake, step, events)
            loss = 2.0 / step
            print(f"step {step}/{steps}  loss {loss:.4f}", flush=True)
            told = {"peak_memory_bytes": fake.get("peak_device_bytes")}
            tell(events, step, steps, told, loss=loss, learning_rate=2e-4)
            if obeyed(run_dir, step, events, terminated):
                return ExitCode.STOPPED
            if step % fake.get("save_every", 2) == 0:
                save(run_dir, step, events)
        finish(run_dir, steps, events, peak_device_bytes=fake.get("peak_device_bytes"))
    return ExitCode.FINISHED


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
