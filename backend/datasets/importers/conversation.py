"""What a whole conversation must be, and how one that is nearly so is repaired."""

from backend.datasets.importers.importer import Fields, Repairs
from backend.datasets.importers.tools import functions_of, tools_of
from backend.datasets.rows import Repair, RowError

TOOLS = ("tools", "functions")


def talk(turns: list[Fields], row: Fields, repairs: Repairs) -> Fields:
    """The record of a conversation with the row's `tools`; raises `RowError`."""
    return with_tools({"messages": conversation(turns, repairs)}, row)


def with_tools(record: Fields, row: Fields) -> Fields:
    """The record, with the row's descriptions of tools if it has some (columns `TOOLS`)."""
    tools = [*(tools_of(row.get("tools")) or ()), *(functions_of(row.get("functions")) or ())]
    if tools:
        record["tools"] = tools
    return record


def conversation(turns: list[Fields], repairs: Repairs) -> list[Fields]:
    """The turns as a conversation that can be learnt; raises `RowError` when it can not.

    Neighbours with the same role become one turn, an empty system message and turns that wait for
    an answer at the end go; all of that is noted.
    """
    if _is_whole(turns):
        return turns
    messages = tidied(turns, repairs)
    answered = len(messages)
    while answered and messages[answered - 1]["role"] != "assistant":
        answered -= 1
    if not answered:
        raise RowError("missing_answer", None, "The conversation has no answer of the assistant.")
    if answered < len(messages):
        left = len(messages) - answered
        repairs.append(
            Repair("unanswered_turns_removed", None, f"{left} turn(s) without an answer went.")
        )
        del messages[answered:]
    if not any(m["role"] in ("user", "tool") for m in messages):
        raise RowError("missing_prompt", None, "The conversation has no turn of the user.")
    return messages


def tidied(turns: list[Fields], repairs: Repairs) -> list[Fields]:
    """The turns without empty system messages, neighbours with the same role as one.

    Raises `RowError` for a turn that says nothing.
    """
    messages: list[Fields] = []
    for number, message in enumerate(turns):
        role, content = message["role"], message["content"]
        if (not content or content.isspace()) and "tool_calls" not in message and role != "tool":
            if role != "system":
                rule = "missing_answer" if role == "assistant" else "missing_prompt"
                raise RowError(rule, f"turn {number + 1}", f"Turn {number + 1} ({role}) is empty.")
            repairs.append(Repair("empty_system_removed", None, "An empty system message went."))
        elif messages and _belong_together(messages[-1], message):
            messages[-1] = {**messages[-1], "content": messages[-1]["content"] + "\n" + content}
            repairs.append(
                Repair("turns_merged", f"turn {number + 1}", f"Two turns of the {role} became one.")
            )
        else:
            messages.append(message)
    return messages


def _is_whole(turns: list[Fields]) -> bool:
    """Whether there is nothing to do: turns that alternate, none empty, an answer at the end."""
    before = ""
    for message in turns:
        role, content = message["role"], message["content"]
        if role == before or not content or content.isspace():
            return False
        before = role
    first = 1 if turns and turns[0]["role"] == "system" else 0
    return before == "assistant" and turns[first]["role"] == "user"


def _belong_together(first: Fields, second: Fields) -> bool:
    return (
        first["role"] == second["role"]
        and first["role"] != "tool"
        and "tool_calls" not in first
        and "tool_calls" not in second
        and first.get("train") == second.get("train")
        and first.get("name") == second.get("name")
    )
