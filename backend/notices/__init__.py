"""Notices: what somebody should hear of, in the app and, through targets, outside it."""
