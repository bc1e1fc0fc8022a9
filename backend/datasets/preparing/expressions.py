"""Expressions of users, run by RE2, whose time grows with the length of the text and no faster."""

from importlib import import_module
from typing import Any

import pyarrow as pa


def _functions() -> Any:
    """`pyarrow.compute`, whose loading is felt and which only expressions need."""
    return import_module("pyarrow.compute")


def wrong(find: str, put: str | None = None) -> str | None:
    """What is wrong with an expression and, where there is one, its replacement; None: nothing."""
    pc, probe = _functions(), pa.array([""], pa.large_string())
    try:
        if put is None:
            pc.match_substring_regex(probe, find)
        else:
            pc.replace_substring_regex(probe, find, put)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        return str(error).partition("\n")[0].removeprefix("Invalid regular expression: ")
    return None


def found_in(texts: list[str], find: str, *, ignore_case: bool) -> list[bool]:
    """Whether each text has something that the expression describes."""
    values = pa.array(texts, pa.large_string())
    hits = _functions().match_substring_regex(values, find, ignore_case=ignore_case)
    found: list[bool] = hits.to_pylist()
    return found


def replaced(texts: list[str], find: str, put: str) -> list[str]:
    """Each text with what the expression describes replaced, everywhere in it."""
    values = pa.array(texts, pa.large_string())
    found: list[str] = _functions().replace_substring_regex(values, find, put).to_pylist()
    return found
