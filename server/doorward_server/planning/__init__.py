"""Runs: who goes where with which boxes, proposed by one person and released by another."""
