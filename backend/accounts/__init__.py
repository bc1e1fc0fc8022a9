"""Users, sign-in, who may do what."""
