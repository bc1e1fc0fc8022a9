"""The platform's API in a process of its own, to be killed: URL DATA_DIR."""

import asyncio
import sys
from pathlib import Path

import uvicorn
from pydantic import SecretStr

from backend.app import create_app
from backend.settings import Settings


async def main() -> None:
    """Serve until killed; says on which port."""
    url, data_dir = sys.argv[1:]
    settings = Settings(
        _env_file=None, data_dir=Path(data_dir), database_url=SecretStr(url), port=0
    )
    app = create_app(settings, background=False)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None))
    serving = asyncio.create_task(server.serve())
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    print(server.servers[0].sockets[0].getsockname()[1], flush=True)
    await serving


asyncio.run(main())
