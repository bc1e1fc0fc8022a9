"""What an exported file is called."""

SUFFIXES = {"csv": "csv", "parquet": "parquet"}
_NO_NAME = '/\\:*?"<>|'


def exported_name(name: str, version: int, split: str | None, form: str = "jsonl") -> str:
    """The file of a version of the data set `name`, or of one of its parts, in a form."""
    part = f"-{split}" if split else ""
    return saveable(f"{name}-v{version}{part}.{SUFFIXES.get(form, 'jsonl')}")


def saveable(name: str) -> str:
    """A name that every file system takes."""
    return "".join(c if c.isprintable() and c not in _NO_NAME else "_" for c in name)
