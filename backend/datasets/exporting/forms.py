"""What a record is in the forms that are JSON lines; `NoPlace` for what a form has no place for."""

from collections.abc import Callable
from typing import Any

import orjson

from training_engine.contract.names import RecordType

Fields = dict[str, Any]
TALKS = frozenset({RecordType.CONVERSATIONAL, RecordType.PROMPT_COMPLETION})
_SPEAKERS = {"system": "system", "user": "human", "assistant": "gpt", "tool": "observation"}
_PLAIN = frozenset({"role", "content"})


class NoPlace(Exception):
    """This form can not express the record; the text says what of it.

    `code` and `params` say the same to a browser, which has words of its own for it.
    """

    def __init__(self, code: str, text: str, **params: str) -> None:
        super().__init__(text)
        self.code, self.params = code, params


def openai(record: Fields, record_type: RecordType) -> Fields:
    """`{"messages", "tools"?}`; of a preference `input`, `preferred_output` and
    `non_preferred_output`; verdicts as `label`. `weight` says whether a turn is learnt."""
    if record_type == RecordType.PREFERENCE:
        return {
            "input": _with_tools({"messages": _turns(record["messages"])}, record),
            "preferred_output": _turns(record["chosen"]),
            "non_preferred_output": _turns(record["rejected"]),
        }
    row = _with_tools({"messages": _turns(_talk(record, record_type))}, record)
    if record_type == RecordType.UNPAIRED_PREFERENCE:
        row["label"] = record["label"]
    return row


def sharegpt(record: Fields, record_type: RecordType) -> Fields:
    """`{"conversations": [{"from", "value"}], "system"?, "tools"?}`; preferences with `chosen` and
    `rejected`, verdicts with `kto_tag`, as LLaMA-Factory reads them."""
    system, turns = _system_and_turns(record.get("messages", []))
    row: Fields = {}
    if record_type == RecordType.PREFERENCE:
        row["chosen"] = _shared(_only_turn(record["chosen"]))
        row["rejected"] = _shared(_only_turn(record["rejected"]))
    else:
        _talk(record, record_type)
    if record_type == RecordType.UNPAIRED_PREFERENCE:
        row["kto_tag"] = record["label"]
    row = {"conversations": [_shared(turn) for turn in turns], **row}
    if system is not None:
        row["system"] = system
    if record.get("tools"):
        row["tools"] = orjson.dumps(record["tools"]).decode()
    return row


def alpaca(record: Fields, record_type: RecordType) -> Fields:
    """`{"instruction", "input", "output", "system"?, "history"?}`; preferences with `chosen` and
    `rejected` in place of `output`, verdicts with `kto_tag`."""
    _require_no_tools(record)
    if record_type == RecordType.PREFERENCE:
        system, turns = _system_and_turns(record["messages"])
        if len(turns) != 1:
            raise NoPlace("several_questions", "a preference has one question here")
        chosen, rejected = (_plain(_only_turn(record[name])) for name in ("chosen", "rejected"))
        row = {"instruction": _plain(turns[0]), "input": "", "chosen": chosen}
        row["rejected"] = rejected
        return row if system is None else {**row, "system": system}
    system, turns = _system_and_turns(_talk(record, record_type))
    pairs = pairs_of(turns)
    question, answer = pairs[-1]
    row = {"instruction": question, "input": "", "output": answer}
    if system is not None:
        row["system"] = system
    if len(pairs) > 1:
        row["history"] = [list(pair) for pair in pairs[:-1]]  # type: ignore[assignment]
    if record_type == RecordType.UNPAIRED_PREFERENCE:
        row["kto_tag"] = record["label"]
    return row


FORMS: dict[str, Callable[[Fields, RecordType], Fields]] = {
    "openai": openai,
    "sharegpt": sharegpt,
    "alpaca": alpaca,
}


def pairs_of(turns: list[Fields]) -> list[tuple[str, str]]:
    """Questions with their answers; raises `NoPlace` where turns do not alternate."""
    roles = [turn["role"] for turn in turns]
    if len(turns) % 2 or roles != ["user", "assistant"] * (len(turns) // 2) or not turns:
        raise NoPlace("not_alternating", "questions and answers do not alternate")
    texts = [_plain(turn) for turn in turns]
    return list(zip(texts[::2], texts[1::2], strict=True))


def _system_and_turns(messages: list[Fields]) -> tuple[str | None, list[Fields]]:
    """The system message in front, by itself."""
    if messages and messages[0]["role"] == "system":
        return _plain(messages[0]), messages[1:]
    return None, messages


def _talk(record: Fields, record_type: RecordType) -> list[Fields]:
    if record_type in TALKS or record_type == RecordType.UNPAIRED_PREFERENCE:
        messages: list[Fields] = record["messages"]
        return messages
    if record_type == RecordType.STEPWISE_SUPERVISION:
        raise NoPlace("verdicts_of_steps", "verdicts about single steps have no place here")
    raise NoPlace("text_without_turns", "a text has no turns")


def _turns(messages: list[Fields]) -> list[Fields]:
    """Turns as OpenAI writes them: `weight` for what a record calls `train`."""
    if any("weight" in message for message in messages):
        raise NoPlace("field_of_turn", "“weight” of a turn has no place here", field="weight")
    return [
        {("weight" if k == "train" else k): (int(v) if k == "train" else v) for k, v in m.items()}
        for m in messages
    ]


def _with_tools(row: Fields, record: Fields) -> Fields:
    return {**row, "tools": record["tools"]} if record.get("tools") else row


def _require_no_tools(record: Fields) -> None:
    if record.get("tools"):
        raise NoPlace("tools", "tools have no place here")


def _only_turn(messages: list[Fields]) -> Fields:
    if len(messages) != 1:
        raise NoPlace("several_turns", "an answer of several turns has no place here")
    return messages[0]


def _plain(message: Fields) -> str:
    """The text of a turn that is nothing but that."""
    if "tool_calls" in message:
        raise NoPlace("tool_calls", "tool calls have no place here")
    if more := message.keys() - _PLAIN:
        field = min(more)
        raise NoPlace("field_of_turn", f"“{field}” of a turn has no place here", field=field)
    content: str = message["content"]
    return content


def _shared(message: Fields) -> Fields:
    if "tool_calls" not in message:
        return {"from": _SPEAKERS[message["role"]], "value": _plain(message)}
    if message["content"] or message.keys() - _PLAIN - {"tool_calls"}:
        raise NoPlace("beside_tool_calls", "a turn with tool calls has no place for anything else")
    calls = [_call(call) for call in message["tool_calls"]]
    return {
        "from": "function_call",
        "value": orjson.dumps(calls[0] if len(calls) == 1 else calls).decode(),
    }


def _call(call: Fields) -> Fields:
    """A call as `{"name", "arguments"}`, when it is no more than that."""
    function = call.get("function")
    is_plain = (
        list(call) == ["type", "function"]
        and call["type"] == "function"
        and isinstance(function, dict)
        and list(function) == ["name", "arguments"]
        and isinstance(function["name"], str)
    )
    if not is_plain:
        raise NoPlace("ids_of_tool_calls", "ids of tool calls have no place here")
    return dict(function)  # type: ignore[arg-type]
