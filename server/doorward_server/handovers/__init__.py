"""Handovers: a projection of the units' journals, and the officer's decision at the host screen."""
