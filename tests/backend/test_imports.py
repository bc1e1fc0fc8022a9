"""The API process stays small: nothing heavy is imported by it."""

import json
import subprocess
import sys

from backend.settings import PROJECT_ROOT

HEAVY = (
    *("torch", "transformers", "mlflow", "peft", "tokenizers", "safetensors", "numpy", "pandas"),
    *("pyarrow", "polars", "rensa", "py3langid", "phonenumbers", "apprise", "requests"),
)
IMPORT = """
import json, pkgutil, sys
import backend.app, backend.commands.up
import training_engine.contract as contract
for module in pkgutil.iter_modules(contract.__path__):
    __import__(f"training_engine.contract.{module.name}")
print(json.dumps(sorted(sys.modules)))
"""


def test_the_api_process_imports_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True, cwd=PROJECT_ROOT
    )
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert "fastapi" in loaded
    assert loaded.isdisjoint(HEAVY), loaded & set(HEAVY)
