"""From a file to a version: recognise, convert, count."""
