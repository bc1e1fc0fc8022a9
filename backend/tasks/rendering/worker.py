"""The process that knows tokenizers: shows rows as tokens, counts them."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from backend.processes.serve_process import ServeProcess, WorkerEnded
from training_engine.contract.serving import Failure
from training_engine.contract.tokens import (
    COUNT_PATH,
    RENDER_PATH,
    Counted,
    CountLengthsRequest,
    CountLine,
    RenderedRecords,
    RenderTokensRequest,
    parse_count_line,
)

NAME = "tokens"
NICENESS = 10
# It multiplies nothing: accelerators are for those who do.
NO_ACCELERATOR = dict.fromkeys(
    ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"), ""
)
M = TypeVar("M", bound=BaseModel)


class NoAnswer(Exception):
    """The worker lives and has nothing to say: a bug of it, told in its log."""


class TokenWorker(ServeProcess):
    """Never loads a model."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, NAME, variables=NO_ACCELERATOR, niceness=NICENESS)

    async def render(self, request: RenderTokensRequest) -> RenderedRecords | Failure:
        """Records as tokens; raises `WorkerEnded` and `NoAnswer`."""
        import httpx

        try:
            answer = await self._http.post(RENDER_PATH, content=request.model_dump_json())
        except httpx.HTTPError as error:
            raise WorkerEnded(self.last_words() or type(error).__name__) from error
        if answer.is_success:
            return _read(RenderedRecords, answer.content)
        return _read(Failure, answer.content)

    async def count(self, request: CountLengthsRequest) -> AsyncGenerator[CountLine]:
        """How far the count is, then its result; raises `WorkerEnded` and `NoAnswer`.

        Closing the iterator ends the count.
        """
        import httpx

        last: CountLine | None = None
        body = request.model_dump_json()
        try:
            async with self._http.stream("POST", COUNT_PATH, content=body) as answer:
                if not answer.is_success:
                    yield _read(Failure, await answer.aread())
                    return
                async for line in answer.aiter_lines():
                    if line:
                        last = parse_count_line(line)
                        yield last
        except httpx.HTTPError as error:
            raise WorkerEnded(self.last_words() or type(error).__name__) from error
        except ValidationError as error:
            raise NoAnswer(self.last_words()) from error
        if not isinstance(last, Counted | Failure):  # a stream that just ends looks like success
            raise NoAnswer(self.last_words())


def _read(shape: type[M], content: bytes) -> M:
    try:
        return shape.model_validate_json(content)
    except ValidationError as error:
        raise NoAnswer(content[:200].decode(errors="replace")) from error
