"""The data sets that come with EasyTune, in `examples/`. `id` is also their translation key."""

from functools import lru_cache
from pathlib import Path

from backend.datasets.importing.recognition import family_of
from backend.datasets.readers import detect
from backend.datasets.schemas import Example
from backend.errors import NotFound
from backend.settings import PROJECT_ROOT

FOLDER = PROJECT_ROOT / "examples"
_EXAMPLES = (
    Example(
        id="customer-service",
        filename="customer-service.jsonl",
        title="Customer service",
        description="Conversations of a garden-tool shop's service desk with its own voice and "
        "facts, in English and Chinese; some of several turns.",
        num_rows=0,
    ),
    Example(
        id="sentiment",
        filename="sentiment.csv",
        title="Sentiment",
        description="Short English texts labelled positive, neutral or negative.",
        num_rows=0,
    ),
    Example(
        id="preferences",
        filename="preferences.jsonl",
        title="Plain answers",
        description="Two answers to each question: a plain one that keeps to what is known, and "
        "one that flatters, pads or makes things up.",
        num_rows=0,
    ),
    Example(
        id="translation",
        filename="translation.json",
        title="Translation",
        description="Sentences translated between Chinese and English, in both directions.",
        num_rows=0,
    ),
    Example(
        id="domain-qa",
        filename="domain-qa.jsonl",
        title="Questions about a product",
        description="Questions and answers from the handbook of a weather station that no model "
        "has read.",
        num_rows=0,
    ),
)


class ExampleNotFound(NotFound):
    """There is no example with this name."""


def all_examples() -> list[Example]:
    """Those whose file is there, with the number of their rows."""
    return [
        example.model_copy(update={"num_rows": _count(path, path.stat().st_mtime_ns)})
        for example in _EXAMPLES
        if (path := FOLDER / example.filename).is_file()
    ]


def find(example_id: str) -> tuple[Example, Path]:
    """One example and its file; raises `ExampleNotFound`."""
    for example in _EXAMPLES:
        path = FOLDER / example.filename
        if example.id == example_id and path.is_file():
            return example, path
    raise ExampleNotFound


@lru_cache(maxsize=16)
def _count(path: Path, _mtime_ns: int) -> int:
    source = detect.open_source(path, path.name, lambda row: family_of(row) is not None)
    return sum(1 for _ in source.rows())
