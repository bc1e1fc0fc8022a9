"""What two rows can have in common without being the same: question, answer, what is beside.

A line that several rows come from does not tell which of them became which; this does.
"""

from typing import Any

import orjson

PARTS = 3
_ANSWERS = ("label", "chosen", "rejected")


def parts_of(record: str, extra: str | None) -> list[int | None]:
    """Hashes of what the row asks, what it answers, and what is beside it; None for an empty part.

    Good within one process only.
    """
    said: dict[str, Any] = orjson.loads(record)
    asked: list[Any] = [said.get("text")]
    answered: list[Any] = [said.get(name) for name in _ANSWERS]
    for turn in said.get("messages", []):
        if turn.get("role") != "system":  # the same in many a row
            own = answered if turn.get("role") == "assistant" else asked
            own.append([turn.get("content"), turn.get("tool_calls")])
    return [_hash(asked), _hash(answered), _hash([extra])]


def _hash(values: list[Any]) -> int | None:
    return hash(orjson.dumps(values)) if any(value is not None for value in values) else None
