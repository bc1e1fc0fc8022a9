"""What is printed when nobody reads it any more is lost, and nothing else."""

import subprocess
import sys

from tests.training_engine.running import REPOSITORY

CHILD = """
import os, subprocess, sys, warnings
from training_engine.printing import outlast_readers

outlast_readers()
print("ready é \\ud800", flush=True)
sys.stdin.readline()  # by then nobody reads
for _ in range(3):
    print("x" * 100_000)
    warnings.warn("a library's", stacklevel=1)
    sys.stderr.write("y" * 100_000)
    sys.stderr.flush()
os.write(1, b"a library in C")
os.write(2, b"a library in C")
assert subprocess.run(["echo", "a program"]).returncode == 0
"""


def test_prints_outlast_their_reader() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CHILD],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        assert child.stdout.readline() == b"ready \xc3\xa9 \\ud800\n"
        child.stdout.close()
        child.stderr.close()
        child.stdin.close()
        assert child.wait(30) == 0
