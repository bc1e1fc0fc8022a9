"""The built pages: cached by their hash, never beside the folder, with a word when missing."""

from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from backend import browser_app


@pytest.fixture
async def pages(tmp_path: Path) -> httpx.AsyncClient:
    """A client of an application that serves a small build."""
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<title>EasyTune</title>")
    (dist / "favicon.svg").write_text("<svg/>")
    (dist / "assets" / "index-abc123.js").write_text("1")
    (tmp_path / "secret.txt").write_text("secret")
    (dist / "assets" / "link.txt").symlink_to(tmp_path / "secret.txt")
    app = FastAPI()
    browser_app.install(app, dist)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")


@pytest.mark.parametrize("path", ["/", "/tasks", "/tasks/0190/logs", "/models?q=a"])
async def test_every_page_is_the_app(pages: httpx.AsyncClient, path: str) -> None:
    answer = await pages.get(path)
    assert answer.text == "<title>EasyTune</title>"
    assert answer.headers["Cache-Control"] == "no-cache"


async def test_hashed_files_are_kept_for_ever(pages: httpx.AsyncClient) -> None:
    answer = await pages.get("/assets/index-abc123.js")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert (await pages.get("/favicon.svg")).headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/assets/index-old.js",  # of an older build: not the app as a script
        "/robots.txt",
        "/assets/../../secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e/secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/assets/link.txt",
        "/assets/%00",
        "/assets/" + "x" * 5000,
        "/api/v1/nothing",
        "/v1/models",
        "/metrics",
    ],
)
async def test_nothing_else_is_served(pages: httpx.AsyncClient, path: str) -> None:
    answer = await pages.get(path)
    assert answer.status_code == 404
    assert "secret" not in answer.text


async def test_a_missing_build_says_what_to_run(tmp_path: Path) -> None:
    app = FastAPI()
    browser_app.install(app, tmp_path / "nothing")
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://localhost"
    ) as client:
        answer = await client.get("/")
    assert answer.status_code == 503
    assert "npm run build" in answer.text


async def test_ranges_are_bounded(pages: httpx.AsyncClient) -> None:
    many = "bytes=" + ",".join(f"{n}-{n}" for n in range(5000))
    answer = await pages.get("/favicon.svg", headers={"Range": many})
    assert answer.status_code in {200, 206, 400, 416}
    assert len(answer.content) < 1_000_000
