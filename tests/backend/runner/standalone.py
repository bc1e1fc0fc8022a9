"""A supervisor in a process of its own, to be paused and killed: URL DATA_DIR TIMEOUTS_JSON."""

import asyncio
import json
import sys
from pathlib import Path

from pydantic import SecretStr

from backend.database import make_engine, make_sessions
from backend.runner.supervisor import Supervisor
from backend.runner.timeouts import Timeouts
from backend.settings import Settings
from tests.backend.runner.conftest import KINDS


async def main() -> None:
    """Supervise until killed; says when it leads."""
    url, data_dir, timeouts = sys.argv[1:]
    settings = Settings(_env_file=None, data_dir=Path(data_dir), database_url=SecretStr(url))
    engine = make_engine(url)
    supervisor = Supervisor(
        settings, make_sessions(engine), kinds=KINDS, timeouts=Timeouts(**json.loads(timeouts))
    )
    running = asyncio.create_task(supervisor.run())
    while not supervisor.leading and not running.done():
        await asyncio.sleep(0.01)
    print("leading", flush=True)
    await running


asyncio.run(main())
