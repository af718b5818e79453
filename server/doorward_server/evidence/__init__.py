"""Evidence packs: one file per handover that a stranger can verify without the server (F9)."""
