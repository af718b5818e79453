"""What can go wrong with a part: one error whose reason is a code of the protocol's table."""

from doorward_protocol.errors import sentence


class DriverError(Exception):
    """A part failed. `reason` is a code of `doorward_protocol.errors.NAMES`, `detail` what was observed."""

    def __init__(self, reason: int, detail: str = ""):
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self):
        return sentence(self.reason, self.detail)


def ignore_fault(name: str, reason: int, detail: str) -> None:
    """What `on_fault` of a driver is until somebody listens. Reason 0 means recovered."""
