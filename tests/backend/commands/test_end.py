"""How a real platform ends: readiness first, streams with a word, uploads not lost, in time."""

import asyncio
import socket
import time
from pathlib import Path
from signal import SIGTERM

import httpx
from sqlalchemy import select, text

from backend.accounts.tables import UserRow
from backend.database import make_engine, make_sessions, transaction
from backend.embedded_postgres import running_url
from backend.ids import new_id
from backend.jobs.tables import JobRow
from backend.tasks.tables import TaskRow
from tests.backend.commands.test_up import PASSWORD, Platform, data_dir, set_up

__all__ = ["data_dir"]  # a fixture
AT_MOST_S = 20.0


async def add_run(url: str) -> str:
    """A task that runs under another supervisor; without a process."""
    engine = make_engine(url)
    async with transaction(make_sessions(engine)) as session:
        owner = (await session.scalars(select(UserRow))).one()
        await session.execute(
            text(
                "UPDATE supervisor_lease SET holder = 'another', epoch = epoch + 1, "
                "expires_at = now() + interval '1 hour'"
            )
        )
        job, task_id = new_id(), new_id()
        session.add(
            JobRow(
                id=job, kind="train", status="RUNNING", spec={}, slot="training",
                slot_index=0, owner_id=owner.id, subject_id=task_id,
            )
        )  # fmt: skip
        await session.flush()
        session.add(
            TaskRow(
                id=task_id, owner_id=owner.id, job_id=job, name="run", description="",
                intent="chat", objective="sft", method="lora", device="auto",
                hyperparameters={}, output_name="run", model_id=new_id(), model_name="m",
                dataset_id=new_id(), dataset_name="d",
            )
        )  # fmt: skip
    await engine.dispose()
    return str(task_id)


def asked(platform: Platform, request: bytes) -> socket.socket:
    """A connection on which this was sent."""
    host, _, port = platform.url.removeprefix("http://").partition(":")
    connection = socket.create_connection((host, int(port)), timeout=AT_MOST_S)
    connection.sendall(request)
    return connection


def until(connection: socket.socket, end: bytes) -> bytes:
    """What is received up to `end`."""
    got = b""
    while end not in got:
        piece = connection.recv(65536)
        assert piece, got
        got += piece
    return got


def test_the_order_of_ending(data_dir: Path) -> None:
    platform = Platform(data_dir)
    set_up(platform)
    body = {"username": "ada", "password": PASSWORD}
    cookies = httpx.post(f"{platform.url}/api/v1/auth/login", json=body).cookies
    url = running_url(data_dir)
    assert url is not None
    task = asyncio.run(add_run(url))
    head = f"Host: localhost\r\nX-EasyTune: 1\r\nCookie: easytune={cookies['easytune']}\r\n"

    stream = asked(
        platform, f"GET /api/v1/tasks/{task}/events/stream HTTP/1.1\r\n{head}\r\n".encode()
    )
    assert b"retry: " in until(stream, b"event: task")
    idle = asked(platform, f"GET /healthz HTTP/1.1\r\n{head}\r\n".encode())
    until(idle, b'"ok"')
    boundary = (
        f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 5000\r\n{head}\r\n"
    )
    upload = asked(
        platform,
        f"POST /api/v1/datasets HTTP/1.1\r\n{boundary}--x\r\nContent-Disposition: form-data; "
        'name="file"; filename="a.jsonl"\r\n\r\n{"text": '.encode(),
    )

    began = time.monotonic()
    platform.process.send_signal(SIGTERM)
    red = 0
    while red != 503:  # before connections are refused, for whoever watches readiness
        red = httpx.get(f"{platform.url}/readyz").status_code
    told = until(stream, b'"shutdown"')
    assert b"event: bye" in told
    assert platform.process.wait(AT_MOST_S) == 0
    assert time.monotonic() - began < AT_MOST_S
    assert running_url(data_dir) is None
    for connection in (stream, idle, upload):
        connection.close()

    again = Platform(data_dir)
    with httpx.Client(base_url=f"{again.url}/api/v1", cookies=cookies) as client:
        # The run is as it was, the upload that was cut is no data set.
        assert client.get(f"/tasks/{task}").json()["status"] == "RUNNING"
        assert client.get("/datasets").json()["items"] == []
    assert again.end(SIGTERM) == 0
