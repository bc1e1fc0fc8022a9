"""One file per objective: what a record becomes, and the loss."""
