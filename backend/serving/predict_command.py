"""`easytune predict`: ask a tuned model from the command line, without server or database."""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated

import orjson
import typer

from backend.processes.serve_process import WorkerEnded
from backend.serving.predict_target import NoTarget, PredictTarget, find
from backend.serving.worker import Worker
from backend.settings import load
from training_engine.contract.predictions import (
    MAX_TEXTS,
    ClassifyRequest,
    Prediction,
    Predictions,
)
from training_engine.contract.serving import ChatMessage, Failure, GenerateRequest, Token

STDIN = "-"
AT_ONCE = min(64, MAX_TEXTS)
FAILED, REFUSED = 1, 2

app = typer.Typer(add_completion=False)


class _NoAnswer(Exception):
    """The model gave no answer; the message says why and what to do."""


@app.command()
def predict(
    target: Annotated[
        Path, typer.Argument(metavar="TARGET", help="A run folder, its output, or a model folder")
    ],
    texts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TEXT...|-]", help="Texts; - or none reads lines from standard input"
        ),
    ] = None,
    base: Annotated[
        Path | None, typer.Option(help="The base model's folder, where an adapter stands alone")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line, with all labels")
    ] = False,
    max_new_tokens: Annotated[
        int, typer.Option(min=1, help="For models that write: the longest answer")
    ] = 256,
) -> None:
    """Print what a model says of each text: LABEL and SCORE, a number, or what it writes.

    Ends with 0 when every text was answered, 1 when the model could not, 2 when there is no model.
    """
    try:
        found = find(target, base, load())
        asyncio.run(_answer(found, _lines(texts), as_json, max_new_tokens))
    except NoTarget as error:
        raise _told(str(error), REFUSED) from error
    except _NoAnswer as error:
        raise _told(str(error), FAILED) from error
    except WorkerEnded as error:
        message = f"The process that runs the model ended: {error}"
        raise _told(message, FAILED) from error


def _told(message: str, code: int) -> typer.Exit:
    print(f"✖ {message}", file=sys.stderr)  # noqa: T201
    return typer.Exit(code)


def _lines(texts: list[str] | None) -> Iterator[str]:
    """The texts that are asked; of standard input every line that is not empty."""
    if texts and texts != [STDIN]:
        yield from texts
        return
    for line in sys.stdin:
        if text := line.rstrip("\r\n"):
            yield text


async def _answer(
    target: PredictTarget, texts: Iterable[str], as_json: bool, max_new_tokens: int
) -> None:
    with tempfile.TemporaryDirectory(prefix="easytune-") as folder:
        worker = Worker(Path(folder))
        worker.start()
        try:
            await worker.wait_until_ready()
            lines = (
                _classes(worker, target, texts, as_json)
                if target.classifies
                else _written(worker, target, texts, as_json, max_new_tokens)
            )
            async for line in lines:
                print(line, flush=True)  # noqa: T201
        finally:
            await worker.stop()


async def _classes(
    worker: Worker, target: PredictTarget, texts: Iterable[str], as_json: bool
) -> AsyncIterator[str]:
    cut, iterator = 0, iter(texts)
    while asked := list(islice(iterator, AT_ONCE)):
        told = await worker.classify(
            ClassifyRequest(
                model_path=str(target.model), adapter_path=_path(target.adapter), texts=asked
            )
        )
        if isinstance(told, Failure):
            raise _NoAnswer(f"{told.message} {told.hint}")
        for text, prediction in zip(asked, told.predictions, strict=True):
            cut += prediction.truncated
            yield _as_json(text, told, prediction) if as_json else _as_text(prediction)
    if cut:
        print(f"{cut} texts were longer than what the model reads and were cut.", file=sys.stderr)  # noqa: T201


def _as_text(prediction: Prediction) -> str:
    if prediction.value is not None:
        return f"{prediction.value:.6g}"
    scores = {each.label: each.score for each in prediction.labels}
    chosen = [label for label in prediction.chosen if label in scores]
    if not chosen:
        return "-\t-"
    return ",".join(chosen) + "\t" + ",".join(f"{scores[label]:.4f}" for label in chosen)


def _as_json(text: str, told: Predictions, prediction: Prediction) -> str:
    return orjson.dumps({"text": text, "kind": told.kind, **prediction.model_dump()}).decode()


async def _written(
    worker: Worker, target: PredictTarget, texts: Iterable[str], as_json: bool, max_new_tokens: int
) -> AsyncIterator[str]:
    for text in texts:
        request = GenerateRequest(
            model_path=str(target.model),
            adapter_path=_path(target.adapter),
            messages=[ChatMessage(role="user", content=text)],
            max_new_tokens=max_new_tokens,
        )
        output = ""
        async for item in worker.generate(request):
            if isinstance(item, Failure):
                raise _NoAnswer(f"{item.message} {item.hint}")
            output += item.text if isinstance(item, Token) else ""
        if as_json:
            yield orjson.dumps({"text": text, "output": output}).decode()
        else:
            yield output


def _path(folder: Path | None) -> str | None:
    return None if folder is None else str(folder)
