"""Tools: how they are described, and how calls of them are written."""

from typing import Any

from backend.datasets.importers.importer import Fields, from_json
from backend.datasets.rows import RowError


def tools_of(value: Any, field: str = "tools") -> list[Fields] | None:
    """Descriptions of tools: a list, one of them, or JSON of these; None when there are none.

    Those with Anthropic's `input_schema` are written as OpenAI writes them, which is what the
    templates of models know.
    """
    value = from_json(value)
    if not value:
        return None
    if isinstance(value, str):
        raise RowError("bad_tools", field, f"“{field}” is not valid JSON.")
    found = [from_json(tool) for tool in (value if isinstance(value, list) else [value])]
    if not all(isinstance(tool, dict) for tool in found):
        raise RowError("bad_tools", field, f"“{field}” must be a list of objects.")
    return [_as_function(tool) for tool in found]


def functions_of(value: Any) -> list[Fields] | None:
    """OpenAI's older `functions`: what stands in a tool today, without the tool around it."""
    found = tools_of(value, "functions")
    return found and [{"type": "function", "function": each} for each in found]


def _as_function(tool: Fields) -> Fields:
    if "input_schema" not in tool or "function" in tool:
        return tool
    function = {key: value for key, value in tool.items() if key not in ("input_schema", "type")}
    return {"type": "function", "function": {**function, "parameters": tool["input_schema"]}}


def calls_of(value: Any, where: str) -> list[Fields]:
    """Calls as OpenAI writes them, from one or several in any usual spelling, or JSON of these.

    Arguments stay an object or JSON text, as they came; raises `RowError` for text that is not
    JSON, which no template could write.
    """
    found = from_json(value)
    calls = found if isinstance(found, list) else [found]
    if not calls:
        raise RowError("bad_tool_call", where, "A function call must be JSON with a “name”.")
    return [_call(each, where) for each in calls]


def _call(given: Any, where: str) -> Fields:
    given = from_json(given)
    call = given if isinstance(given, dict) else {}
    function = call["function"] if isinstance(call.get("function"), dict) else call
    name = function.get("name")
    if not isinstance(name, str) or not name.strip():
        raise RowError("bad_tool_call", where, "A function call must be JSON with a “name”.")
    spelling = next((k for k in ("arguments", "parameters", "input") if k in function), "arguments")
    arguments = _arguments(function.get(spelling), name, where)
    wanted: Fields = {"name": name, "arguments": arguments}
    if function is call:
        kept = {"id": call["id"]} if isinstance(call.get("id"), str) else {}
        return {**kept, "type": "function", "function": wanted}
    # The same order of keys whatever the file's: the same call is the same bytes.
    first = {"id": call["id"]} if "id" in call else {}
    rest = {key: value for key, value in call.items() if key not in {"id", "type", "function"}}
    return {**first, "type": call.get("type", "function"), "function": wanted, **rest}


def _arguments(value: Any, name: str, where: str) -> Any:
    if value in (None, ""):
        return {}
    if isinstance(value, str) and isinstance(from_json(value.strip()), str):
        raise RowError(
            "bad_tool_call", where, f"The arguments of “{name[:40]}” are not an object in JSON."
        )
    if not isinstance(value, str | dict):
        raise RowError("bad_tool_call", where, f"The arguments of “{name[:40]}” are not an object.")
    return value
