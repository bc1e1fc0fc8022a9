"""Tokenizers and templates of model folders, kept while they are in use: small and slow to load."""

from functools import lru_cache
from pathlib import Path

from training_engine.data.chat import ChatTemplate
from training_engine.failures import EngineFailure
from training_engine.models.load import load_tokenizer
from training_engine.serve.failures import from_engine
from training_engine.tokenizer_files import template_files, tokenizer_files


def load_template(
    folder: Path,
    template: str | None = None,
    *,
    required: bool = True,
    spare: str | None = None,
    trusted: bool = False,
) -> ChatTemplate:
    """The tokenizer in `folder` with its own chat template, the given one, or else the spare.

    `trusted`: a tokenizer of the folder's own program may be executed. Raises `ServeError` when
    the tokenizer can not be read or knows no template that is `required`.
    """
    names = (*tokenizer_files(folder), *template_files(folder))
    times = tuple((name, (folder / name).stat().st_mtime_ns) for name in names)
    return _load(str(folder), template, required, spare, trusted, times)


@lru_cache(maxsize=16)
def _load(
    folder: str,
    template: str | None,
    required: bool,
    spare: str | None,
    trusted: bool,
    _times: tuple[tuple[str, int], ...],
) -> ChatTemplate:
    try:
        tokenizer = load_tokenizer(Path(folder), trusted=trusted)
        return ChatTemplate(tokenizer, template, required=required, spare=spare)
    except EngineFailure as failure:
        raise from_engine(failure) from failure
