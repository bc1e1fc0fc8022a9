"""A run host that holds its lock and never says who it is: RUN_DIR."""

import fcntl
import sys
import time
from pathlib import Path

with Path(sys.argv[1], "lock").open("w") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    time.sleep(120)
