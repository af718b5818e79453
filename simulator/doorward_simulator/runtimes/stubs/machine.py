"""`machine` of MicroPython's ESP32 port, as far as the firmware uses it, over the bus.

Interrupt handlers run between two turns of the event loop, as the port's soft handlers do.
"""
# ruff: noqa: A002, ARG002, RUF012 - the names and signatures are MicroPython's

import simulated_bus  # pyright: ignore[reportMissingImports]

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5


class Pin:
    """machine.Pin: a GPIO. Levels live in the world; inputs with an interrupt report every change."""

    IN, OUT, OPEN_DRAIN = 1, 3, 7
    PULL_UP, PULL_DOWN = 2, 1
    IRQ_RISING, IRQ_FALLING = 1, 2
    _handlers = {}

    def __init__(self, id, mode=-1, pull=-1, *, value=None, drive=0, hold=None):
        self.id = id
        self.init(mode, pull, value=value)

    def init(self, mode=-1, pull=-1, *, value=None, drive=0, hold=None):
        if mode in (Pin.OUT, Pin.OPEN_DRAIN):
            simulated_bus.bus.call("pin", "output", self.id, -1 if value is None else int(bool(value)))

    def value(self, level=None):
        if level is None:
            return simulated_bus.bus.call("pin", "level", self.id)
        simulated_bus.bus.write("pin", bytes((self.id, 1 if level else 0)))
        return None

    def __call__(self, level=None):
        return self.value(level)

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)

    def irq(self, handler=None, trigger=3, *, hard=False):
        Pin._handlers[self.id] = None if handler is None else (self, handler, trigger)
        simulated_bus.bus.listen("pin", Pin._changed)
        simulated_bus.bus.call("pin", "watch", self.id, handler is not None)
        return self

    @staticmethod
    def _changed(payload):
        number, level = payload[0], payload[1]
        entry = Pin._handlers.get(number)
        if entry is not None and entry[2] & (Pin.IRQ_RISING if level else Pin.IRQ_FALLING):
            entry[1](entry[0])


class UART:
    """machine.UART: received bytes wait in a buffer of `rxbuf` bytes; what does not fit is lost."""

    IRQ_RX, IRQ_RXIDLE, IRQ_BREAK = 1, 64, 2
    INV_TX, INV_RX = 32, 4

    def __init__(self, id, baudrate=115200, **settings):
        self._channel = "uart" + str(id)
        self._buffer = bytearray()
        self._handler = None
        self.init(baudrate, **settings)

    def init(self, baudrate=115200, bits=8, parity=None, stop=1, *, rxbuf=256, **_settings):
        self._room = max(rxbuf, 129)  # the port's minimum: the hardware's 128 bytes and one
        simulated_bus.bus.call(
            self._channel, "configure", baudrate, bits, -1 if parity is None else parity, stop
        )
        simulated_bus.bus.listen(self._channel, self._received)

    def deinit(self):
        simulated_bus.bus.listen(self._channel, None)

    def irq(self, handler=None, trigger=0, hard=False):
        self._handler = handler if trigger else None
        return self

    def any(self):
        return len(self._buffer)

    def read(self, count=-1):
        if not self._buffer:
            return None
        if count is None or count < 0:
            count = len(self._buffer)
        data = bytes(self._buffer[:count])
        self._buffer = self._buffer[count:]
        return data

    def readinto(self, buffer, count=-1):
        data = self.read(len(buffer) if count is None or count < 0 else min(count, len(buffer)))
        if data is None:
            return None
        buffer[: len(data)] = data
        return len(data)

    def write(self, data):
        simulated_bus.bus.write(self._channel, data)
        return len(data)

    def txdone(self):
        return True

    def flush(self):
        pass

    def _received(self, data):
        self._buffer.extend(data[: max(0, self._room - len(self._buffer))])
        if self._handler is not None:
            self._handler(self)


class SPI:
    """machine.SPI as controller."""

    MSB, LSB = 0, 1

    def __init__(self, id, baudrate=1000000, **settings):
        self._channel = "spi" + str(id)
        self.init(baudrate, **settings)

    def init(self, baudrate=1000000, **_settings):
        simulated_bus.bus.call(self._channel, "configure", baudrate)

    def deinit(self):
        pass

    def write(self, data):
        simulated_bus.bus.write(self._channel, data)

    def read(self, count, write=0):
        return simulated_bus.bus.call(self._channel, "transfer", bytes((write,)) * count)

    def readinto(self, buffer, write=0):
        buffer[:] = self.read(len(buffer), write)

    def write_readinto(self, data, buffer):
        buffer[:] = simulated_bus.bus.call(self._channel, "transfer", bytes(data))


class I2C:
    """machine.I2C as controller; a missing acknowledgement is OSError(ENODEV), as the port raises it."""

    def __init__(self, id, *, scl=None, sda=None, freq=400000, timeout=50000):
        self._target = "i2c" + str(id)
        simulated_bus.bus.call(self._target, "configure", freq)

    def scan(self):
        return simulated_bus.bus.call(self._target, "scan")

    def writeto(self, address, data, stop=True):
        return simulated_bus.bus.call(self._target, "write", address, bytes(data))

    def writevto(self, address, pieces, stop=True):
        return self.writeto(address, b"".join(bytes(piece) for piece in pieces), stop)

    def readfrom(self, address, count, stop=True):
        return simulated_bus.bus.call(self._target, "read", address, count)

    def readfrom_into(self, address, buffer, stop=True):
        buffer[:] = self.readfrom(address, len(buffer), stop)

    def readfrom_mem(self, address, memory, count, *, addrsize=8):
        return simulated_bus.bus.call(
            self._target, "exchange", address, memory.to_bytes(addrsize // 8, "big"), count
        )

    def readfrom_mem_into(self, address, memory, buffer, *, addrsize=8):
        buffer[:] = self.readfrom_mem(address, memory, len(buffer), addrsize=addrsize)

    def writeto_mem(self, address, memory, data, *, addrsize=8):
        self.writeto(address, memory.to_bytes(addrsize // 8, "big") + bytes(data))


class I2S:
    """machine.I2S as transmitter. With `irq` set, `write` returns at once and the handler asks for more."""

    TX, RX = 10, 9
    MONO, STEREO = 0, 1

    def __init__(
        self, id, *, sck=None, ws=None, sd=None, mode=TX, bits=16, format=MONO, rate=16000, ibuf=8192
    ):
        self._channel = "i2s" + str(id)
        self._handler = None
        simulated_bus.bus.call(self._channel, "configure", rate, bits, 1 if format == I2S.MONO else 2, ibuf)
        simulated_bus.bus.listen(self._channel, self._emptied)

    def irq(self, handler):
        self._handler = handler

    def write(self, data):
        simulated_bus.bus.write(self._channel, data)
        return len(data)

    def deinit(self):
        simulated_bus.bus.call(self._channel, "stop")
        simulated_bus.bus.listen(self._channel, None)

    @staticmethod
    def shift(*, buf, bits, shift):
        """Change the volume of PCM16 in place: left by `shift` bits doubles each, right halves."""
        if bits != 16:
            raise ValueError("only 16 bits here")
        for position in range(0, len(buf) - 1, 2):
            sample = buf[position] | buf[position + 1] << 8
            sample -= (sample & 0x8000) << 1
            sample = sample << shift if shift >= 0 else sample >> -shift
            sample = max(-32768, min(32767, sample)) & 0xFFFF
            buf[position], buf[position + 1] = sample & 0xFF, sample >> 8

    def _emptied(self, _payload):
        if self._handler is not None:
            self._handler(self)


class WDT:
    """machine.WDT: cannot be stopped; without a feed for `timeout` ms the world resets the processor."""

    def __init__(self, id=0, timeout=5000):
        simulated_bus.bus.call("wdt", "start", timeout)

    def feed(self):
        simulated_bus.bus.write("wdt", b"")


class _Memory:
    """machine.mem32: registers that the firmware may read."""

    def __getitem__(self, address):
        return simulated_bus.bus.call("system", "register", address)


mem32 = _Memory()


class RTC:
    """machine.RTC: (year, month, day, weekday, hours, minutes, seconds, microseconds), weekday 0 = Monday."""

    def __init__(self, id=0):
        pass

    def datetime(self, value=None):
        if value is None:
            return tuple(simulated_bus.bus.call("rtc", "read"))
        simulated_bus.bus.call("rtc", "set", *[int(field) for field in value])
        return None

    def init(self, value):
        self.datetime(value)


def unique_id():
    return simulated_bus.bus.call("system", "unique_id")


def reset_cause():
    return simulated_bus.bus.call("system", "reset_cause")


def reset():
    """Never returns: the world ends this process and starts the next one."""
    simulated_bus.bus.call("system", "reset", HARD_RESET)


def soft_reset():
    simulated_bus.bus.call("system", "reset", SOFT_RESET)


def freq(hertz=None):
    return 240000000 if hertz is None else None


def disable_irq():
    return 0


def enable_irq(state):
    pass


def idle():
    pass
