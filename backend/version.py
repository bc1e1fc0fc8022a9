"""The version of this program, as packaged."""

from importlib.metadata import version

VERSION = version("easytune")
