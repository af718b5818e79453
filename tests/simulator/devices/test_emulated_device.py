"""What all emulated parts share: time, power, and serial lines that take their time."""

from doorward_simulator.devices.device import SerialDevice, SteppedScheduler


class Echo(SerialDevice):
    """Sends back what it hears."""

    def handle(self, data: bytes) -> None:
        self.transmit(data)


def test_calls_run_in_order_of_time_and_then_of_planning():
    scheduler, order = SteppedScheduler(), []
    scheduler.call_later(20, lambda: order.append("late"))
    scheduler.call_later(10, lambda: order.append("first"))
    scheduler.call_later(10, lambda: order.append("second"))
    scheduler.call_later(10, lambda: order.append("never")).cancel()
    scheduler.advance(15)
    assert (order, scheduler.now()) == (["first", "second"], 15)
    assert scheduler.run_until(lambda: len(order) == 3)
    assert scheduler.now() == 20
    assert not scheduler.run_until(lambda: False, limit_ms=5)


def test_bytes_take_as_long_as_the_line_needs(scheduler):
    device, received = Echo(scheduler, "echo", 9600), []
    device.send = lambda data: received.append((scheduler.now(), data))
    device.power(True)
    device.receive(b"x" * 96)  # 96 bytes of 10 bits at 9,600 bit/s: 100 ms
    scheduler.advance(99)
    assert received == []
    scheduler.advance(1)
    assert received == [(100, b"x" * 96)]


def test_a_chunked_line_delivers_parts_on_the_way(scheduler):
    device, received = Echo(scheduler, "echo", 9600), []
    device.chunk = 32
    device.send = lambda data: received.append((scheduler.now(), len(data)))
    device.power(True)
    device.receive(b"x" * 80)
    scheduler.advance(1000)
    assert received == [(34, 32), (67, 32), (84, 16)]


def test_without_power_nothing_is_heard_and_what_was_on_the_way_is_lost(scheduler):
    device, received = Echo(scheduler, "echo", 9600), bytearray()
    device.send = received.extend
    device.receive(b"too early")
    device.power(True)
    device.receive(b"cut off")
    device.power(False)
    scheduler.advance(1000)
    assert received == b""


def test_a_wrong_rate_is_noise_and_is_recorded(scheduler):
    device, received = Echo(scheduler, "echo", 57_600), bytearray()
    device.send = received.extend
    device.power(True)
    device.receive(b"hello", 115_200)
    device.receive(b"hi", 58_000)  # under 3 % off
    scheduler.advance(1000)
    assert received == b"hi"
    assert len(device.violations) == 1
    assert "115200" in str(device.violations[0])
