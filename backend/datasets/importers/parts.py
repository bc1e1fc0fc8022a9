"""What a turn says when its content is a list: texts, calls and results of tools.

OpenAI's and axolotl's `{"type": "text", "text", "train"?}`; Anthropic's `tool_use` and
`tool_result`. Thoughts that stand apart are no part of a record, which is reported; pictures,
videos and sounds can not be trained on.
"""

from dataclasses import dataclass, field
from typing import Any

from backend.datasets.importers.importer import Fields, Repairs, text_of
from backend.datasets.importers.tools import calls_of
from backend.datasets.rows import Repair, RowError

_TEXTS = ("text", "input_text", "output_text")
_THOUGHTS = ("thinking", "redacted_thinking", "reasoning")
_KNOWN = frozenset({"type", "text", "train"})


@dataclass(slots=True)
class Said:
    """`texts` in order, `calls` of tools, `results` of earlier calls as turns, and what the parts
    say of being learnt (`learnt`, one for each that says something)."""

    texts: list[str] = field(default_factory=list)
    calls: list[Fields] = field(default_factory=list)
    results: list[Fields] = field(default_factory=list)
    learnt: list[bool | None] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All of the texts, as they follow each other."""
        return "".join(self.texts)


def said_by(parts: list[Any], where: str, repairs: Repairs) -> Said:
    """What a list of parts says; `where` names it. Raises `RowError`."""
    said = Said()
    for part in parts:
        if isinstance(part, str):
            said.texts.append(part)
            continue
        kind = part.get("type") if isinstance(part, dict) else type(part).__name__
        if isinstance(part, dict) and kind is None and "text" in part:
            kind = "text"
        if kind in _TEXTS:
            _add_text(said, part, where, repairs)
        elif kind == "tool_use":
            call = {key: part[key] for key in ("id", "name", "input") if key in part}
            said.calls += calls_of(call, where)
        elif kind == "tool_result":
            said.results.append(_result(part, where, repairs))
        elif kind in _THOUGHTS:
            message = "The thoughts of a turn are not used: only what it says is learnt."
            repairs.append(Repair("ignored_field", f"{where}.{kind}", message))
        else:
            raise RowError(
                "media_not_supported", where, f"A part of type “{str(kind)[:40]}” is not text."
            )
    return said


def _add_text(said: Said, part: Fields, where: str, repairs: Repairs) -> None:
    said.texts.append(text_of(part.get("text"), where, repairs))
    learnt = part.get("train")
    said.learnt.append(learnt if isinstance(learnt, bool) else None)
    for key, value in part.items():
        if key not in _KNOWN and value not in (None, "", [], {}):
            _ignore(where, key, repairs)


def _result(part: Fields, where: str, repairs: Repairs) -> Fields:
    """What a tool answered, as a turn of its own."""
    content = part.get("content")
    if isinstance(content, list):
        inner = said_by(content, f"{where}.content", repairs)
        if inner.calls or inner.results:
            raise RowError("wrong_type", where, "The result of a tool must be text.")
        content = inner.text
    message: Fields = {"role": "tool", "content": text_of(content, where, repairs)}
    if isinstance(part.get("tool_use_id"), str):
        message["tool_call_id"] = part["tool_use_id"]
    for key, value in part.items():
        if key not in ("type", "content", "tool_use_id") and value not in (None, "", [], {}):
            _ignore(where, key, repairs)
    return message


def _ignore(where: str, key: str, repairs: Repairs) -> None:
    message = f"“{key[:40]}” of a part of a turn is not used."
    repairs.append(Repair("ignored_field", f"{where}.{key}", message))
