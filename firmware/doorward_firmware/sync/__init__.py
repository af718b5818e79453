"""The unit's side of the link, in the order of the bytes: stream, websocket, session, transfer, link."""
