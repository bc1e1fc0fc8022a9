"""An engine that takes memory until it is stopped. F16."""

import sys
from pathlib import Path

from training_engine.contract.event_writer import EventWriter

with EventWriter(Path(sys.argv[1])) as events:
    events.write("started", device="cpu", dtype="float32", device_reason="drill", versions={})
    taken = []
    while True:
        taken.append(b"x" * 10_000_000)
