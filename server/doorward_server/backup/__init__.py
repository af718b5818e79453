"""Backups of everything that a server needs to come back, and what is to be set right after a restore."""
