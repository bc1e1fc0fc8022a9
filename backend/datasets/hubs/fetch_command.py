"""Fetches and imports a data set in this process, for the command line, with a bar to look at."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from backend.datasets.hubs.trouble import HubTrouble
from backend.errors import Unavailable


class FetchFailed(Unavailable):
    """{message} {hint}"""


def fetch_here(spec: dict[str, Any], staged: Path) -> None:
    """Into the empty `staged`; raises `FetchFailed`."""
    # Late: listing data sets does not need the libraries that fetching needs.
    from backend.datasets.hubs.obtain import NoSpace, obtain

    with Progress(console=Console(stderr=True)) as progress:
        bar = progress.add_task(spec["reference"], total=None)

        def show(done: int, total: int, name: str) -> None:
            progress.update(bar, completed=done, total=total, description=name or "import")

        try:
            obtain(spec, staged, show)
        except HubTrouble as trouble:
            params = {"message": trouble.message, "hint": trouble.hint}
            raise FetchFailed(params=params) from trouble
        except NoSpace as error:
            message, hint = "There is no space left on the disk.", "Free some, then try it again."
            raise FetchFailed(params={"message": message, "hint": hint}) from error
