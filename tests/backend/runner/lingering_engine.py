"""An engine that has finished and does not leave."""

import signal
import sys
import time
from pathlib import Path

from training_engine.contract.event_writer import EventWriter

signal.signal(signal.SIGTERM, signal.SIG_IGN)
with EventWriter(Path(sys.argv[1])) as events:
    events.write("started", device="cpu", dtype="float32", device_reason="fake", versions={})
    events.write("finished", step=1)
time.sleep(120)
