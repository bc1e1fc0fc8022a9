"""Counts in the background, one after the other; each is written beside its version once done."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import orjson
import structlog
from pydantic import BaseModel, ValidationError

from backend.tasks.rendering.desk import TokenDesk, TokensUnavailable
from backend.tasks.rendering.sources import Source
from training_engine.contract.choices import PREFERENCE, Objective
from training_engine.contract.serving import Failure
from training_engine.contract.tokens import Counted, Counting, CountLengthsRequest

# So many rows take about a minute on a slow processor; more would tell the same.
MOST_ROWS = 20_000
WEIGHTS = frozenset({".safetensors", ".bin", ".pt", ".pth", ".gguf", ".h5", ".msgpack", ".onnx"})
MAX_FILE_BYTES = 64 * 1024 * 1024
log = structlog.get_logger(__name__)


class LengthsFile(BaseModel):
    """What is kept of a count: tokens → rows, and what could not be counted."""

    num_rows: int
    lengths: dict[int, int]
    refused: int
    reasons: dict[str, int]


@dataclass
class Count:
    """A count under way, or one that failed."""

    progress: float = 0.0
    failure: Failure | None = None
    task: asyncio.Task[None] | None = field(default=None, repr=False)


class LengthCounts:
    """Counts by the file that they become."""

    def __init__(self, desk: TokenDesk) -> None:
        self._desk = desk
        self._counts: dict[Path, Count] = {}
        self._alone = asyncio.Lock()

    async def ask(self, source: Source, num_rows: int) -> LengthsFile | Count:
        """What was counted, or how far the count is; begins it where nobody has.

        A failure is told once; whoever asks after that begins again.
        """
        file = await asyncio.to_thread(lengths_file, source)
        count = self._counts.get(file)
        if count is None:
            known = await asyncio.to_thread(_read, file)
            if known is not None:
                return known
            count = self._counts.get(file)  # somebody may have begun meanwhile
        if count is None:
            count = self._counts[file] = Count()
            work = self._run(file, source, num_rows, count)
            count.task = asyncio.create_task(work, name="token lengths")
        elif count.task is not None and count.task.done():
            count.failure = count.failure or _not_counted("The rows were not counted to their end.")
            del self._counts[file]
        return count

    async def close(self) -> None:
        """End what is under way."""
        tasks = [count.task for count in self._counts.values() if count.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._counts.clear()

    async def _run(self, file: Path, source: Source, num_rows: int, count: Count) -> None:
        try:
            async with self._alone:
                await self._count(file, source, num_rows, count)
        except TokensUnavailable as error:
            count.failure = _not_counted(error.detail)
        except OSError as error:
            log.warning("token_lengths_not_written", error=repr(error))
            count.failure = _not_counted(
                f"The lengths can not be written to the data folder: {error.strerror}.",
                "Make room on the disk, then ask again.",
            )

    async def _count(self, file: Path, source: Source, num_rows: int, count: Count) -> None:
        request = CountLengthsRequest(
            model_path=str(source.model),
            trusted_code_sha256=source.trusted_code_sha256,
            dataset_path=str(source.records),
            objective=source.objective,
            num_rows=num_rows,
            most_rows=MOST_ROWS,
            chat_template=source.chat_template,
        )
        async with aclosing(self._desk.count(request)) as lines:
            async for line in lines:
                if isinstance(line, Counting):
                    count.progress = line.counted / max(1, line.of)
                elif isinstance(line, Counted):
                    await asyncio.to_thread(_write, file, num_rows, line)
                    self._counts.pop(file, None)
                else:
                    count.failure = line


def lengths_file(source: Source) -> Path:
    """Where the lengths stand for this tokenizer, this way to read rows and this template.

    All small files of the model's folder count as its tokenizer: which of them it reads is its
    own matter.
    """
    digest = sha256()
    for name, path in sorted(_small_files(source.model).items()):
        with suppress(OSError):  # gone meanwhile, or not ours to read
            digest.update(f"{name}\0{sha256(path.read_bytes()).hexdigest()}\n".encode())
    family = Objective.DPO if source.objective in PREFERENCE else source.objective
    digest.update(f"{family.value}\0{source.chat_template or ''}".encode())
    return source.folder / f"lengths-{digest.hexdigest()[:32]}.json"


def _small_files(folder: Path) -> Mapping[str, Path]:
    return {
        path.relative_to(folder).as_posix(): path
        for pattern in ("*", "additional_chat_templates/*")
        for path in folder.glob(pattern)
        if path.is_file() and path.suffix not in WEIGHTS and path.stat().st_size <= MAX_FILE_BYTES
    }


def _not_counted(message: str, hint: str = "Ask again in a moment.") -> Failure:
    return Failure(code=TokensUnavailable.code(), message=message, hint=hint)


def _read(file: Path) -> LengthsFile | None:
    try:
        return LengthsFile.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return None


def _write(file: Path, num_rows: int, counted: Counted) -> None:
    kept = LengthsFile(
        num_rows=num_rows,
        lengths=counted.lengths,
        refused=counted.refused,
        reasons=counted.reasons,
    )
    half = file.with_suffix(".part")
    half.write_bytes(orjson.dumps(kept.model_dump(mode="json"), option=orjson.OPT_NON_STR_KEYS))
    half.rename(file)
