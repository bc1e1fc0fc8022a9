"""Axolotl's `input_output`: `{"segments": [{"label": true or false, "text"}, …]}`.

Segments to be learnt become answers, the others questions; neighbours of one kind are one turn.
A record has no template of its own, so marks of a beginning or an end of text around the whole go
(a repair), and rows that bring the marks of a template inside are refused.
"""

import re
from typing import Any

from backend.datasets.importers.conversation import conversation
from backend.datasets.importers.importer import Fields, Importer, Repairs, from_json, text_of
from backend.datasets.rows import Repair, RowError
from training_engine.contract.names import RecordType

_BEGINNING = re.compile(r"^(?:<s>|<bos>|<\|begin_of_text\|>)+")
_END = re.compile(r"(?:</s>|<eos>|<\|end_of_text\|>|<\|endoftext\|>)+\s*$")
_MARKS = re.compile(r"<\|[^|<>\s]{1,40}\|>|</?s>|\[/?INST\]|<(?:start|end)_of_turn>|<<SYS>>")


def _segments(row: Fields, repairs: Repairs) -> list[tuple[bool, str]]:
    items = from_json(row.get("segments"))
    if not isinstance(items, list) or not items:
        raise RowError("wrong_type", "segments", "“segments” must be a list of labelled texts.")
    found: list[tuple[bool, str]] = []
    for number, item in enumerate(items):
        where = f"segments[{number}]"
        if not isinstance(item, dict) or not isinstance(item.get("label"), bool):
            raise RowError("missing_label", where, f"“{where}” needs a label true or false.")
        text = text_of(item.get("text"), f"{where}.text", repairs)
        for key, value in item.items():
            if key not in ("label", "text") and value not in (None, "", [], {}):
                message = f"“{key[:40]}” of a segment is not used."
                repairs.append(Repair("ignored_field", f"{where}.{key}", message))
        found.append((item["label"], text))
    return found


def _convert(row: Fields, repairs: Repairs) -> Fields:
    turns: list[dict[str, Any]] = []
    for learnt, text in _segments(row, repairs):
        role = "assistant" if learnt else "user"
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += text
        else:
            turns.append({"role": role, "content": text})
    first, last = _BEGINNING.sub("", turns[0]["content"]), turns[-1]["content"]
    cut = first != turns[0]["content"] or _END.search(last)
    turns[0]["content"] = first
    turns[-1]["content"] = _END.sub("", turns[-1]["content"])
    if cut:
        message = "Marks of the beginning and the end of the text went; the template sets its own."
        repairs.append(Repair("marks_removed", "segments", message))
    for turn in turns:
        if mark := _MARKS.search(turn["content"]):
            raise RowError(
                "template_in_text",
                "segments",
                f"The text holds a mark of a template (“{mark.group()}”), and the model's own "
                "template is put around it: write the text without marks.",
            )
    return {"messages": conversation([t for t in turns if t["content"]], repairs)}


IMPORTER = Importer(
    "segments",
    RecordType.CONVERSATIONAL,
    "the rows have “segments”: those to be learnt are answers, the others questions, and the "
    "model's own template is put around them",
    lambda row: isinstance(row.get("segments"), list | str),
    _convert,
    frozenset(("segments",)),
)
