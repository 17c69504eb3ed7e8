"""Generated data to try the gateway on: plausible, and the same for the same seed."""
