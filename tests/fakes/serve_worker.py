"""A serve worker without a model: it obeys, fails, crashes or hangs as the last message says."""

import asyncio
import json
import os
import sys
from pathlib import Path

STATE = {"running": 0, "loaded": []}


def http(status: int, kind: str, body: bytes = b"") -> bytes:
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nConnection: close\r\n"
    return head.encode() + b"\r\n" + body


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    if head.startswith("get /health"):
        status = {
            "status": "ready",
            "device": "cpu",
            "dtype": "float32",
            "busy": bool(STATE["running"]),
            "loaded": STATE["loaded"],
        }
        writer.write(http(200, "application/json", json.dumps(status).encode()))
    else:
        length = next(line for line in head.splitlines() if line.startswith("content-length"))
        request = json.loads(await reader.readexactly(int(length.split(":")[1])))
        if head.startswith("post /classify"):
            sort(request["texts"], writer)
            await writer.drain()
            writer.close()
            return
        writer.write(http(200, "application/x-ndjson"))
        STATE["running"] += 1
        STATE["loaded"] = [
            {"model_path": request["model_path"], "adapters": [], "memory_bytes": 123}
        ]
        try:
            await obey(request, reader, writer)
        finally:
            STATE["running"] -= 1
    await writer.drain()
    writer.close()


def sort(texts: list, writer: asyncio.StreamWriter) -> None:
    if texts[0] == "crash":
        print("Segmentation fault (pretended)", flush=True)
        os._exit(139)
    if texts[0] == "fail":
        failure = {"type": "error", "code": "not_a_classifier", "message": "No.", "hint": "Do."}
        writer.write(http(400, "application/json", json.dumps(failure).encode()))
        return
    labels = [{"label": "long", "score": 0.75}, {"label": "short", "score": 0.25}]
    told = {
        "kind": "single_label",
        "num_labels": 2,
        "predictions": [
            {
                "labels": labels,
                "chosen": ["long"],
                "value": None,
                "tokens": len(text),
                "truncated": False,
            }
            for text in texts
        ],
        "seconds": 0.001,
    }
    writer.write(http(200, "application/json", json.dumps(told).encode()))


async def obey(request: dict, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    def line(**values: object) -> None:
        writer.write(json.dumps(values).encode() + b"\n")

    order = request["messages"][-1]["content"]
    if order == "fail":
        line(type="error", code="out_of_memory", message="Too large.", hint="Take less.")
        return
    if order == "leave":  # without a last line
        return
    if order == "where":
        line(type="token", text=request["model_path"])
    if order == "crash":
        line(type="token", text="half an ans")
        await writer.drain()
        print("Segmentation fault (pretended)", flush=True)
        os._exit(139)
    if order == "slow":
        gone = asyncio.ensure_future(reader.read())
        for _ in range(request["max_new_tokens"]):
            line(type="token", text="…")
            await asyncio.wait({gone}, timeout=0.05)
            if gone.done():
                Path("cancelled").touch()
                return
    for word in ("Hello", " ", "世界"):
        line(type="token", text=word)
    line(type="done", finish_reason="stop", prompt_tokens=3, completion_tokens=3)


async def main(path: str) -> None:
    server = await asyncio.start_unix_server(answer, path)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
