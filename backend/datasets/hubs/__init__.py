"""Data sets that come from a hub: what is offered there, choosing, fetching, importing."""
