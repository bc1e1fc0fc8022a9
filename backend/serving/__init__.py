"""Models in use: the playground."""
