"""ShareGPT's chat format in its three shapes.

`{"conversations": [{"from", "value"}, …]}`, the same with `role` and `content`, and
`{"conversation": [{"human", "assistant"}, …]}`; each with an optional `system` and `tools`.
"""

from collections.abc import Collection

from backend.datasets.importers.conversation import TOOLS, talk
from backend.datasets.importers.importer import Fields, Importer, Repairs, refuse_media
from backend.datasets.importers.openai_messages import roles_in
from backend.datasets.importers.questions import system_name, system_turns
from backend.datasets.importers.turns import SHAREGPT, turns_of
from training_engine.contract.names import RecordType


def field_of(row: Collection[str]) -> str:
    """The column with the turns."""
    return "conversations" if "conversations" in row else "conversation"


def told_turns(row: Fields, repairs: Repairs) -> list[Fields]:
    """System message and turns of a row, not yet checked as a conversation."""
    field = field_of(row)
    turns = turns_of(row.get(field), field, repairs, SHAREGPT)
    return [*system_turns(row, repairs), *turns]


def _matches(row: Fields) -> bool:
    return "conversations" in row or bool(roles_in(row.get("conversation")))


def _convert(row: Fields, repairs: Repairs) -> Fields:
    refuse_media(row)
    return talk(told_turns(row, repairs), row, repairs)


def _uses(row: Fields) -> Collection[str]:
    return (field_of(row), system_name(row) or "system")


IMPORTER = Importer(
    "sharegpt",
    RecordType.CONVERSATIONAL,
    "the rows have “conversations”",
    _matches,
    _convert,
    frozenset(TOOLS),
    _uses,
)
