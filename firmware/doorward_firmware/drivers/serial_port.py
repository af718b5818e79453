"""A serial line as a stream: an interrupt says that bytes came, the event loop fetches them.

The driver of a part on a serial line sees `await read(limit)`, `write(data)` and `reset()`; the channels of
the bridge (`uart_bridge`) offer the same three, so no driver knows which it has.

Only `IRQ_RX` is used. On the ESP32 port it comes when the hardware's buffer fills and when the line falls
silent, so no tail is left behind; `IRQ_RXIDLE` would add nothing and has one hardware timer for all UARTs
of the port.
"""

import asyncio

RECEIVE_BUFFER = 1024  # bytes: 180 ms at 57,600 baud, far above the 20 ms that the loop may be held
SEND_BUFFER = 2048  # bytes: a whole template goes out without blocking (1,536 B and its packets' frames)


class SerialPort:
    """One hardware UART. `uart` is a `machine.UART` whose reads do not wait."""

    def __init__(self, uart):
        self._uart = uart
        self._arrived = asyncio.ThreadSafeFlag()
        uart.irq(handler=self._on_receive, trigger=uart.IRQ_RX)

    def _on_receive(self, _uart):
        self._arrived.set()

    async def read(self, limit: int) -> bytes:
        """Wait for bytes; returns 1 to `limit` of them."""
        while True:
            data = self._uart.read(limit) if self._uart.any() else None
            if data:
                return data
            await self._arrived.wait()

    def write(self, data: bytes) -> None:
        """Queue bytes for sending; does not wait."""
        self._uart.write(data)

    def reset(self) -> None:
        """Forget what has been received and not read."""
        self._arrived.clear()
        while self._uart.any():
            self._uart.read(RECEIVE_BUFFER)


def open_port(number: int, tx: int, rx: int, baud: int) -> SerialPort:
    """Open UART `number` on two GPIO numbers: 8 data bits, no parity, 1 stop bit."""
    from machine import UART

    settings = {"tx": tx, "rx": rx, "rxbuf": RECEIVE_BUFFER, "txbuf": SEND_BUFFER, "timeout": 0}
    return SerialPort(UART(number, baud, **settings))
