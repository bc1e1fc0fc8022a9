"""The parts of the run host; standard library only, so that it stays near 12 MB."""
