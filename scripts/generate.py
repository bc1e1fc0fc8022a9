"""Write what is generated from the code; with --check fail when a file is stale.

OpenAPI document → browser types and the API page of the docs; SQLAlchemy tables → schema page;
the engine's hyper-parameters → the schema that the wizard's form is made from.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TYPES = ROOT / "frontend/src/api/schema.gen.ts"
KNOBS = ROOT / "frontend/src/api/hyperparameters.gen.json"


def openapi() -> str:
    """The API's description, as the running application would give it."""
    from backend.app import describe

    return json.dumps(describe(), indent=1, ensure_ascii=False, sort_keys=True)


def browser_types(document: str) -> str:
    """TypeScript types of the API, by openapi-typescript."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "openapi.json"), Path(folder, "schema.gen.ts")
        source.write_text(document)
        command = ["npx", "--no-install", "openapi-typescript", source, "-o", target]
        done = subprocess.run(
            [str(c) for c in command], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"✖ openapi-typescript failed:\n{done.stderr}")
        return target.read_text()


def knobs() -> str:
    """Every hyper-parameter with default, range, unit and help, as a JSON schema.

    The OpenAPI document holds it too, but TypeScript types keep no values.
    """
    from training_engine.contract.hyperparameters import Hyperparameters

    return json.dumps(Hyperparameters.model_json_schema(), indent=1, ensure_ascii=False) + "\n"


def main(check: bool) -> int:
    """Write or compare every generated file; returns the exit code."""
    from docs_pages import api_page, database_page
    from options_page import options_page

    document = openapi()
    files = {
        TYPES: browser_types(document),
        KNOBS: knobs(),
        ROOT / "docs/options.md": options_page(json.loads(knobs())),
        ROOT / "docs/api.md": api_page(json.loads(document)),
        ROOT / "docs/database.md": database_page(),
    }
    stale = [p for p, text in files.items() if not p.is_file() or p.read_text() != text]
    for path in stale:
        name = path.relative_to(ROOT)
        if check:
            print(f"✖ {name} is stale; run `make api` and commit it", file=sys.stderr)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[path])
            print(f"wrote {name}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv))
