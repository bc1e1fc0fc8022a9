"""The files that fetching writes beside those of an import."""

# In a version: where its rows came from.
SOURCE_FILE = "source.json"
# In the staging folder of an attempt: why there is nothing to import.
TROUBLE_FILE = "trouble.json"
