"""What a request says that names a data set of a hub."""

from backend.datasets.hubs.queue import HubChoice
from backend.datasets.hubs.schemas import HubSource, Revision, ShortText
from backend.datasets.service import DatasetForm


class HubDatasetCreate(DatasetForm):
    """Fetch a data set from a hub; without subset or split a single one is taken."""

    source: HubSource
    reference: ShortText
    subset: ShortText | None = None
    split: ShortText | None = None
    revision: Revision | None = None

    @property
    def choice(self) -> HubChoice:
        """Which data set of which hub."""
        return HubChoice(self.source, self.reference, self.subset, self.split, self.revision)
