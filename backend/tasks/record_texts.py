"""What a model reads of a record: the texts whose tokens `lengths.py` counts."""

import json
from dataclasses import dataclass
from typing import Any

from training_engine.contract.choices import Objective


@dataclass(frozen=True)
class Texts:
    """Turns in their order; `has_system`: the first is for the system.

    `target`: what a decoder of its own writes, where an encoder reads the turns.
    """

    turns: list[str]
    has_system: bool = False
    target: str | None = None

    @property
    def framed(self) -> bool:
        """Whether a chat template is put around them."""
        return self.target is None and len(self.turns) > 1


def texts_of(record: dict[str, Any], objective: Objective) -> list[Texts]:
    """One for each sequence that a record becomes: two where it holds two answers."""
    if record.get("text"):
        return [Texts([str(record["text"])])]
    asked = record.get("messages") or []
    if objective is Objective.SEQ2SEQ:
        *before, answer = asked or [{}]
        return [Texts(["\n\n".join(map(_content, before))], target=_content(answer))]
    told = _told(record.get("tools"))
    answers = [record[name] for name in ("chosen", "rejected") if record.get(name)] or [[]]
    return [_conversation([*asked, *answer], told) for answer in answers]


def _conversation(messages: list[dict[str, Any]], told: str) -> Texts:
    """Templates write what tools there are into the system's turn, and make one for it."""
    turns = [_content(message) + _told(message.get("tool_calls")) for message in messages]
    has_system = bool(messages) and messages[0].get("role") == "system"
    if told and not has_system:
        turns.insert(0, "")
    if told and turns:
        turns[0] += told
    return Texts(turns, has_system or bool(told))


def _content(message: dict[str, Any]) -> str:
    return str(message.get("content") or "")


def _told(calls_or_tools: Any) -> str:
    """As a template writes them."""
    return json.dumps(calls_or_tools, ensure_ascii=False) if calls_or_tools else ""
