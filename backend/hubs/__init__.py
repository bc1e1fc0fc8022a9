"""What models and data sets have in common that come from a hub: ids, listings, downloads."""
