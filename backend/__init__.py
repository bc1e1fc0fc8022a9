"""The web API, the run supervisor and the `easytune` command."""
