"""Versions of what decides the numbers of a run."""

import sys
from importlib.metadata import PackageNotFoundError, version

PACKAGES = (
    "torch",
    "transformers",
    "tokenizers",
    "safetensors",
    "liger_kernel",
    "bitsandbytes",
    "easytune",
)


def versions() -> dict[str, str]:
    """Of Python and the packages that are installed; nothing is imported."""
    found = {"python": sys.version.split()[0]}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
