"""Drivers of the parts on the board.

They feed events in and carry effects out; they decide nothing. Every byte from outside is hostile: parsers
go by length and checksum, buffers are bounded, and no exception but `DriverError` leaves a driver. Only
this package and `board.py` know `machine`, and they import it inside functions, so that everything can be
imported anywhere.

Who sits on whom:

  fingerprint ── ef01_packets ── serial_port (UART)
  uhf ── m100_frames ── uart_bridge (SC16IS752) ─┐
  card ── pn532_frames ──────────────────────────┼── I2C, interrupts (one shared line)
  inputs, doors' contacts, screens' selects ── expander (MCP23017) ─┘
  screen ── SPI;  speaker ── I2S;  camera ── DVP;  doors' relays ── GPIO
  opening: builds all of these from the board's tables and keeps the broken ones from stopping the rest
"""
