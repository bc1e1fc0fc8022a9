"""What was found out about versions in other forms, so that the next export need not look again.

A version never changes, and a browser asks twice: whether the file can be made, and for the file.
"""

from collections import OrderedDict
from typing import Any

MAX_VERDICTS = 64
Key = tuple[str, int, str, str | None]


class Verdicts:
    """The verdicts of children about (folder, time of its file in ns, form, split), the last ones
    used."""

    def __init__(self) -> None:
        self._found: OrderedDict[Key, dict[str, Any]] = OrderedDict()

    def of(self, key: Key) -> dict[str, Any] | None:
        """The verdict; None when nobody has looked."""
        if key in self._found:
            self._found.move_to_end(key)
        return self._found.get(key)

    def keep(self, key: Key, verdict: dict[str, Any]) -> None:
        """Remember it."""
        self._found[key] = verdict
        self._found.move_to_end(key)
        if len(self._found) > MAX_VERDICTS:
            self._found.popitem(last=False)
