"""Every failure that the code declares reads as a sentence, whoever raises it."""

import ast
import importlib
import pkgutil
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter

import pytest
from starlette.requests import Request

import backend
from backend.errors import AppError, answer
from backend.settings import PROJECT_ROOT


@cache
def declared() -> list[type[AppError]]:
    """All subclasses, by name."""
    for module in pkgutil.walk_packages(backend.__path__, "backend."):
        importlib.import_module(module.name)

    def below(parent: type[AppError]) -> Iterator[type[AppError]]:
        for child in parent.__subclasses__():
            yield child
            yield from below(child)

    found = {child for child in below(AppError) if child.__module__.startswith("backend.")}
    return sorted(found, key=lambda child: child.__name__)


def named(sentence: str) -> set[str]:
    """The placeholders of a sentence."""
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def test_there_are_many_and_each_name_is_used_once() -> None:
    assert len(declared()) > 50
    names = Counter(error.__name__ for error in declared())
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("error", declared(), ids=lambda error: error.__name__)
def test_the_answer_has_every_value_in_its_place(error: type[AppError]) -> None:
    params = {name: f"<{name}>" for name in named(error.sentence())}
    made = error(params=params) if params else error()
    request = Request({"type": "http", "headers": []})
    body = bytes(answer(request, made).body).decode()
    assert "{" not in made.title + made.detail
    assert f'"code":"{error.__name__}"' in body
    assert made.title[0].isupper() or not made.title[0].isalpha()
    for value in params.values():
        assert value in made.title


def _raised() -> Iterator[tuple[str, ast.expr | None]]:
    """Where failures are made, and the `params` they are given."""
    classes = {error.__name__ for error in declared()}
    for file in sorted(Path(PROJECT_ROOT, "backend").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            bare = isinstance(node, ast.Raise) and not isinstance(node.exc, ast.Call)
            called = node.func if isinstance(node, ast.Call) else None
            target = getattr(node, "exc", None) if bare else called
            name = getattr(target, "id", None) or getattr(target, "attr", None)
            if name in classes:
                keywords = node.keywords if isinstance(node, ast.Call) else []
                # Also whole sets of arguments that are made elsewhere: `**in_use(users)`.
                given = next((k.value for k in keywords if k.arg in {"params", None}), None)
                yield f"{file.name}:{getattr(node, 'lineno', 0)} {name}", given


def test_whoever_raises_gives_the_values_that_the_sentence_names() -> None:
    sentences = {error.__name__: error.sentence() for error in declared()}
    wrong, seen = [], 0
    for place, given in _raised():
        needed = named(sentences[place.split()[-1]])
        if not needed:
            continue
        seen += 1
        if given is None:
            wrong.append(place)
        elif isinstance(given, ast.Dict) and None not in given.keys:
            keys = {key.value for key in given.keys if isinstance(key, ast.Constant)}
            wrong += [place] if needed - keys else []
    assert seen > 20
    assert wrong == []
