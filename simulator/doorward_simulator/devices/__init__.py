"""Emulators of the parts on a unit's board.

They are written from data sheets and protocol documents, never from the firmware's drivers, and
speak the wire protocol byte for byte, so that anybody's driver can talk to them.
"""
