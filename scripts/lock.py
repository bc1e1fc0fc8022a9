"""Resolve pyproject.toml into requirements.lock: one set for every platform, no addresses.

torch stays without a build suffix and without its CUDA libraries, so that each host takes the
build its device needs.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from prepare import ROOT, pip_settings

# A CUDA build of torch pins these itself, exactly; a CPU build must not bring them.
OF_TORCH = re.compile(r"^(torch|triton|cuda-[\w-]+|nvidia-(?!ml-py)[\w-]+)==")


def main() -> int:
    """Write the lock; returns the exit code of the resolver."""
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "uv"), "pip", "compile", "pyproject.toml",
            "--extra", "dev", "--universal", "--python-version", "3.11", "--no-header",
            "--no-annotate", "--no-emit-index-url", "--no-emit-find-links", "--upgrade",
        ],
        cwd=ROOT, env={**os.environ, **pip_settings()}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        return done.returncode
    lines = [line for line in done.stdout.splitlines() if not OF_TORCH.match(line)]
    torch = re.search(r"^torch==[\d.]+", done.stdout, flags=re.MULTILINE)
    assert torch, "the project depends on torch"
    (ROOT / "requirements.lock").write_text("\n".join(sorted([*lines, torch.group()])) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
