"""Versions of a data set on disk: what they consist of."""
