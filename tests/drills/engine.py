"""An engine for drills about processes: it trains nothing, and is exact about everything else.

`python -m tests.drills.engine RUN_DIR`: the fake engine, for runs that the platform makes. A JSON
object at the end of the run's name says how it behaves: `steps`, `step_s`, `save_every`. It goes on
from its checkpoint at the next step, and proves that it is alone: all attempts of a run share one
lock, which the kernel frees when a process is gone.
"""

import fcntl
import json
import os
import signal
import sys
import time
from pathlib import Path

from tests.fakes.engine import finish, obeyed, save, tell
from training_engine.contract.event_writer import EventWriter
from training_engine.contract.failpoints import reach
from training_engine.contract.names import SPEC_FILE, ExitCode

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
    with EventWriter(run_dir) as events:
        events.write("started", device="cpu", dtype="float32", device_reason="drill", versions={})
        for step in range(first + 1, steps + 1):
            time.sleep(step_s)
            reach("engine.step")
            print(f"step {step}/{steps}", flush=True)
            tell(events, step, steps, {}, loss=1.0 / step)
            if obeyed(run_dir, step, events, told):
                return ExitCode.STOPPED
            if step % manner.get("save_every", SAVE_EVERY) == 0:
                save(run_dir, step, events)
        finish(run_dir, steps, events)
    os.close(owner)
    return ExitCode.FINISHED


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
