"""Pages of docs/ that are written from the code: the API and the database schema."""

from __future__ import annotations

from typing import Any

# From nothing to the log of a run; the quoting is what `sh` needs.
EXAMPLE = """```bash
API=http://127.0.0.1:8000/api/v1
json() { python3 -c "import json, sys; print(json.load(sys.stdin)['$1'])"; }
TOKEN=$(curl -s $API/auth/login -H 'Content-Type: application/json' \\
  -d '{"username": "NAME", "password": "PASSWORD"}' | json access_token)
call() { curl -s -H "Authorization: Bearer $TOKEN" "$@"; }
call $API/datasets -F file=@rows.jsonl          # the answer has the id; wait for status ready
call $API/tasks -H 'Content-Type: application/json' -H 'Idempotency-Key: my-first' \\
  -d '{"name": "My run", "output_name": "my-run", "model_id": "…", "dataset_id": "…"}'
call -N $API/tasks/TASK_ID/logs/stream          # live; -H 'Last-Event-ID: …' goes on where it was
call $API/tasks/TASK_ID/artifact -o model.zip
TOKEN=$(call -X POST $API/auth/refresh | json access_token)   # before the old one ends
```
"""
HUGE = 1 << 31  # limits beyond are the machine's, not the call's
METHODS = ("get", "post", "put", "patch", "delete")
NOTE = "<!-- Written by `make api` from the code; do not edit. -->\n"


def api_page(document: dict[str, Any]) -> str:
    """The API as one table per group, and the fields of every shape."""
    lines = [
        NOTE,
        "# API",
        "",
        f"Version {document['info']['version']}. Everything is JSON. Sign in with "
        "`POST /api/v1/auth/login` and send the token as `Authorization: Bearer`; the browser "
        "uses a cookie. Errors are `application/problem+json` ([Problem](#problem)). Lists answer "
        "`{items, next_cursor}`.",
        "",
        EXAMPLE,
    ]
    for tag, calls in _calls_by_tag(document).items():
        lines += [f"## {tag}", "", "| call | takes | answers | |", "|---|---|---|---|"]
        lines += [_call(*call) for call in calls]
        lines.append("")
    lines += ["# Shapes", ""]
    for name, schema in sorted(document["components"]["schemas"].items()):
        lines += _shape(name, schema)
    return "\n".join(lines).rstrip() + "\n"


def _calls_by_tag(document: dict[str, Any]) -> dict[str, list[tuple[str, str, dict[str, Any]]]]:
    found: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                tag = (item[method].get("tags") or ["other"])[0]
                found.setdefault(tag, []).append((method.upper(), path, item[method]))
    return found


def _call(method: str, path: str, call: dict[str, Any]) -> str:
    given = [p for p in call.get("parameters", []) if p["in"] in {"query", "header"}]
    query = [_parameter(p["name"], p.get("schema", {})) for p in given]
    body = [_content(call.get("requestBody", {}))]
    takes = ", ".join([part for part in body if part] + query)
    good = next((s for s in sorted(call["responses"]) if s.startswith("2")), "200")
    answers = f"{good} {_content(call['responses'].get(good, {}))}".strip()
    text = (call.get("description") or call.get("summary") or "").split("\n\n")[0]
    return f"| `{method} {path}` | {takes} | {answers} | {_cell(text)} |"


def _parameter(name: str, schema: dict[str, Any]) -> str:
    """A parameter, with its type where that is no plain text and its limits where it has some."""
    kind = _type({**schema, "anyOf": _not_null(schema["anyOf"])} if "anyOf" in schema else schema)
    low, high = schema.get("minimum"), schema.get("maximum")
    limits = f" {low}–{high}" if low is not None and high is not None and high < HUGE else ""
    return f"`{name}`" if kind == "string" else f"`{name}` {kind}{limits}"


def _not_null(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [part for part in parts if part.get("type") != "null"]


def _content(holder: dict[str, Any]) -> str:
    return " or ".join(_one_content(*each) for each in holder.get("content", {}).items())


def _one_content(media: str, value: dict[str, Any]) -> str:
    schema = value.get("schema") or value.get("itemSchema") or {}
    if "properties" in schema and media in {"multipart/form-data", "application/json"}:
        fields = ", ".join(f"`{name}`" for name in schema["properties"])
        return f"{'JSON' if media == 'application/json' else 'form'} ({fields})"
    kind = _type(schema)
    return kind if media == "application/json" and kind != "any" else f"{kind} ({media})"


def _shape(name: str, schema: dict[str, Any]) -> list[str]:
    lines = [f"## {name}", ""]
    if schema.get("description"):
        lines += [" ".join(schema["description"].split()), ""]
    if "enum" in schema:
        return [*lines, " · ".join(f"`{value}`" for value in schema["enum"]), ""]
    properties = schema.get("properties", {})
    if not properties:
        return lines
    required = set(schema.get("required", []))
    lines += ["| field | type | |", "|---|---|---|"]
    for field, value in properties.items():
        text = value.get("description", "")
        if field not in required and "default" in value:
            text = f"{text} Default: `{value['default']}`.".strip()
        lines.append(f"| `{field}` | {_type(value)} | {_cell(text)} |")
    return [*lines, ""]


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    for union in ("anyOf", "oneOf", "allOf"):
        if union in schema:
            return " or ".join(_type(part) for part in schema[union])
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_type(schema['additionalProperties'])}"
    return f"{kind} ({schema['format']})" if "format" in schema else str(kind)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def database_page() -> str:
    """Every table: what it is for, columns, keys."""
    from backend.database import Base
    from backend.schema import import_tables

    import_tables()
    purposes = {
        mapper.local_table.name: (mapper.class_.__doc__ or "").strip()
        for mapper in Base.registry.mappers
    }
    lines = [
        NOTE,
        "# Database",
        "",
        "PostgreSQL. Keys are UUIDv7, so they sort by time; times carry a zone and are kept in "
        "UTC. Curves and logs are not here: they stay in the run folders.",
        "",
    ]
    for table in sorted(Base.metadata.tables.values(), key=lambda t: t.name):
        lines += [f"## {table.name}", "", " ".join(purposes.get(table.name, "").split()), ""]
        lines += ["| column | type | |", "|---|---|---|"]
        lines += [_column(column) for column in table.columns]
        lines += ["", *_keys(table)]
    return "\n".join(lines).rstrip() + "\n"


def _column(column: Any) -> str:
    from sqlalchemy.dialects import postgresql

    notes = []
    if column.primary_key:
        notes.append("key")
    notes += [f"→ `{key.target_fullname}`" for key in column.foreign_keys]
    if column.nullable:
        notes.append("may be empty")
    if column.comment:
        notes.append(column.comment)
    kind = column.type.compile(dialect=postgresql.dialect())
    return f"| `{column.name}` | {kind} | {_cell(', '.join(notes))} |"


def _keys(table: Any) -> list[str]:
    from sqlalchemy import CheckConstraint, UniqueConstraint

    lines = []
    for constraint in sorted(table.constraints, key=lambda c: str(c.name)):
        if isinstance(constraint, UniqueConstraint):
            names = ", ".join(f"`{column.name}`" for column in constraint.columns)
            lines.append(f"- unique: {names}")
        elif isinstance(constraint, CheckConstraint):
            lines.append(f"- check: `{_cell(str(constraint.sqltext))}`")
    for index in sorted(table.indexes, key=lambda i: str(i.name)):
        names = ", ".join(f"`{e}`" for e in (str(x).rpartition(".")[2] for x in index.expressions))
        where = index.dialect_options["postgresql"].get("where")
        kind = "unique index" if index.unique else "index"
        lines.append(
            f"- {kind}: {names}" + (f" where `{_cell(str(where))}`" if where is not None else "")
        )
    return [*lines, ""] if lines else []
