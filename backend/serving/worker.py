"""The process that talks: a worker whose answers are passed through line by line."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from backend.processes.serve_process import ServeProcess, WorkerEnded
from training_engine.contract.predictions import CLASSIFY_PATH, ClassifyRequest, Predictions
from training_engine.contract.serving import (
    GENERATE_PATH,
    Done,
    Failure,
    GenerateRequest,
    Token,
    parse_line,
)

NAME = "playground"


class Worker(ServeProcess):
    """Generates and classifies."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, NAME)

    async def generate(
        self, request: GenerateRequest
    ) -> AsyncGenerator[Token | Done | Failure, None]:
        """The lines of one answer; raises `WorkerEnded`. Closing the iterator cancels the work."""
        import httpx

        last: Any = None
        body = request.model_dump(mode="json")
        try:
            async with self._http.stream("POST", GENERATE_PATH, json=body) as answer:
                async for line in answer.aiter_lines():
                    if line:
                        last = parse_line(line)
                        yield last
        except (httpx.HTTPError, ValidationError) as error:
            raise WorkerEnded(self.last_words() or type(error).__name__) from error
        if not isinstance(last, Done | Failure):  # a stream that just ends looks like success
            raise WorkerEnded(self.last_words())

    async def classify(self, request: ClassifyRequest) -> Predictions | Failure:
        """Classes or scores of texts; raises `WorkerEnded`. Cancelling cancels the work."""
        import httpx

        body = request.model_dump(mode="json")
        try:
            answer = await self._http.post(CLASSIFY_PATH, json=body)
            shape = Predictions if answer.is_success else Failure
            return shape.model_validate_json(answer.content)
        except (httpx.HTTPError, ValidationError) as error:
            raise WorkerEnded(self.last_words() or type(error).__name__) from error
