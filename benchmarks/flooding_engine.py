"""An engine that computes and prints: `python -m training_engine RUN --child flooding_engine`.

What it does stands in `spec.json`: `steps`, each of which prints `lines` lines and hashes `work`
pieces of 64 KB in `threads` threads. Tells in `speed.json` how long the steps took.
"""

import hashlib
import json
import os
import sys
import threading
import time
from pathlib import Path

PIECE = b"x" * 65536
LINES_AT_ONCE = 100


def compute(pieces: int) -> None:
    """So much work; other threads compute meanwhile."""
    for _ in range(pieces):
        hashlib.sha256(PIECE).digest()


def step(number: int, lines: int, work: int, threads: int) -> None:
    """Print, then compute."""
    first = number * lines
    for start in range(first, first + lines, LINES_AT_ONCE):
        said = "".join(
            f"sample {i} of step {number}: loss 1.2345, 512 tokens, from shard 7\n"
            for i in range(start, min(start + LINES_AT_ONCE, first + lines))
        )
        os.write(1, said.encode())
    others = [threading.Thread(target=compute, args=(work,)) for _ in range(threads - 1)]
    for other in others:
        other.start()
    compute(work)
    for other in others:
        other.join()


def main(run_dir: Path) -> None:
    """All steps."""
    spec = json.loads((run_dir / "spec.json").read_text())
    begun = time.perf_counter()
    for number in range(spec["steps"]):
        step(number, spec["lines"], spec["work"], spec["threads"])
    took = time.perf_counter() - begun
    (run_dir / "speed.json").write_text(json.dumps({"took_s": took}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
