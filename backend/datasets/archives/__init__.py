"""Archives: what is in them, safely unpacked. Standard library only."""
