"""A supervisor in a process of its own, to be paused and killed."""

import json
import subprocess
import sys
from dataclasses import asdict, replace

from backend.runner.timeouts import Timeouts
from backend.settings import PROJECT_ROOT, Settings


class Apart:
    """Starts `standalone` on the database and folder of `settings`."""

    def __init__(self, settings: Settings, base: Timeouts, **timeouts: float) -> None:
        url = settings.database_url
        assert url is not None
        given = json.dumps(asdict(replace(base, **timeouts)))
        module = "tests.backend.runner.standalone"
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, url.get_secret_value(), str(settings.data_dir), given],
            cwd=PROJECT_ROOT,
            stdout=subprocess.PIPE,
        )

    def leads(self) -> None:
        """Wait until it leads."""
        assert self.process.stdout is not None
        assert any(b"leading" in line for line in self.process.stdout)

    def kill(self) -> None:
        """SIGKILL, and reap."""
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
