"""pyarrow as child processes need it: without pandas, which it would load with its first array.

That takes longer than everything else that such a process starts with.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType

import pyarrow as pa


class _NoPandas(MetaPathFinder):
    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> None:
        """Say that there is no pandas; nothing about other modules."""
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname, name=fullname)


def leave_pandas_out() -> None:
    """Let pyarrow look for pandas now, and find none; whoever else wants it still gets it."""
    if "pandas" in sys.modules:
        return
    nothing = _NoPandas()
    sys.meta_path.insert(0, nothing)
    try:
        pa.array([0])
    finally:
        sys.meta_path.remove(nothing)
