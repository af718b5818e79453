"""Notifications: alarms and arrivals told to webhooks, at least once, beside everything else (F13)."""
