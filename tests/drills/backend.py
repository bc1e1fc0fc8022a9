"""`easytune up`, the real one, with two changes that the environment asks for.

DRILL_ENGINE: the module that trainings run, in place of the real engine. DRILL_TIMEOUTS: JSON with
deadlines of the supervisor, so that a drill need not wait an hour for one.
"""

import ctypes
import json
import os
import signal
import sys
from dataclasses import replace
from typing import Any

from backend import cli
from backend.runner.kinds import KINDS
from backend.runner.timeouts import Timeouts

PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Nothing of a drill outlives the process that started it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def main() -> None:
    """Run the command line with what was asked for; ends with the drill that started it."""
    end_with_parent()
    engine = os.environ.get("DRILL_ENGINE")
    if engine:
        KINDS["train"] = replace(KINDS["train"], module=engine)  # type: ignore[index]
    shorter = json.loads(os.environ.get("DRILL_TIMEOUTS", "{}"))
    usual = Timeouts.__init__

    def with_ours(self: Timeouts, **given: Any) -> None:
        usual(self, **{**given, **shorter})

    Timeouts.__init__ = with_ours  # type: ignore[assignment,method-assign]
    sys.argv = ["easytune", "up"]
    cli.main()


if __name__ == "__main__":
    main()
