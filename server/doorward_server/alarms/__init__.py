"""Alarms: one table of rules over journal records, their projection, and who acknowledged what."""
