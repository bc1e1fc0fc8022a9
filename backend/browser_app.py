"""Serves the built browser app: hashed files for ever, the page itself never from a cache."""

from pathlib import Path

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from backend.accounts.gate import CLOSED
from backend.settings import PROJECT_ROOT

DIST = PROJECT_ROOT / "frontend" / "dist"
FOR_EVER = "public, max-age=31536000, immutable"
NOT_BUILT = (
    "<!doctype html><meta charset=utf-8><title>EasyTune</title>"
    "<p>The browser app is not built. Run <code>make run</code>, or "
    "<code>npm ci && npm run build</code> in the project folder, and reload this page."
)


def _file(dist: Path, path: str) -> Path | None:
    """The file below `dist` that is meant; None when there is none, or can be none."""
    try:
        file = (dist / path).resolve()
        return file if file.is_relative_to(dist.resolve()) and file.is_file() else None
    except (OSError, ValueError):  # a name that is too long, or has a NUL
        return None


def install(app: FastAPI, dist: Path = DIST) -> None:
    """Add the catch-all route; must come last."""

    async def page(request: Request) -> Response:
        path = request.path_params["path"]
        if path.split("/", 1)[0] in CLOSED:
            raise HTTPException(404)
        file = _file(dist, path)
        if file is not None:
            hashed = path.startswith("assets/")
            return FileResponse(file, headers={"Cache-Control": FOR_EVER if hashed else "no-cache"})
        if path.startswith("assets/") or "." in path.rsplit("/", 1)[-1]:
            raise HTTPException(404)
        index = dist / "index.html"
        if not index.is_file():
            return HTMLResponse(NOT_BUILT, 503)
        return FileResponse(index, headers={"Cache-Control": "no-cache"})

    app.add_route("/{path:path}", page, methods=["GET", "HEAD"], include_in_schema=False)
