"""The server's own journal of decisions."""
