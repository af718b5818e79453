"""The units' side of the server: endpoint, sessions, ingest of journals, fan-out of objects and blobs."""
