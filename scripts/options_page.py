"""docs/options.md: every option of a run, written from the contract."""

from __future__ import annotations

from typing import Any

from docs_pages import NOTE

GROUPS = {"basic": "What matters most", "advanced": "The rest"}


def options_page(schema: dict[str, Any]) -> str:
    """The options as two tables; `schema` is the JSON schema of the hyper-parameters."""
    lines = [
        NOTE,
        "# Options",
        "",
        "Every option of a run, as it stands under `hyperparameters` in a spec and in the wizard. "
        "When to use what: [training.md](training.md).",
    ]
    for group, title in GROUPS.items():
        lines += ["", f"## {title}", "", "| option | default | allowed | |", "|---|---|---|---|"]
        lines += [
            _line(name, field, schema.get("$defs", {}))
            for name, field in schema["properties"].items()
            if field["x-group"] == group
        ]
    return "\n".join(lines) + "\n"


def _line(name: str, field: dict[str, Any], known: dict[str, Any]) -> str:
    default = field.get("default")
    shown = "–" if default is None else f"`{default}`"
    only = [
        f"{what}: {', '.join(field[key])}"
        for key, what in (
            ("x-objectives", "objectives"),
            ("x-methods", "methods"),
            ("x-variants", "with"),
        )
        if key in field
    ]
    note = f" ({'; '.join(only)})" if only else ""
    unit = f" {field['x-unit']}" if "x-unit" in field and default is not None else ""
    return f"| `{name}` | {shown}{unit} | {_allowed(field, known)} | {field['description']}{note} |"


def _allowed(field: dict[str, Any], known: dict[str, Any]) -> str:
    """Range, choices or kind of a field, in words."""
    if "$ref" in field:
        return _allowed(known[field["$ref"].rpartition("/")[2]], known)
    if "anyOf" in field:
        parts = [part for part in field["anyOf"] if part.get("type") != "null"]
        return " or ".join(_allowed(part, known) for part in parts)
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    if field.get("type") == "array":
        return "list of names"
    if field.get("type") == "boolean":
        return "`true`, `false`"
    low = field.get("minimum", field.get("exclusiveMinimum"))
    high = field.get("maximum", field.get("exclusiveMaximum"))
    if low is None and high is None:
        return "whole number" if field.get("type") == "integer" else "number"
    above = "above " if "exclusiveMinimum" in field else ""
    below = "below " if "exclusiveMaximum" in field else ""
    return f"from {low}" if high is None else f"{above}{low} to {below}{high}"
