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


def observed(error: BaseException) -> str:
    """What an exception tells; of one that is not ours, in the same words under every interpreter."""
    if isinstance(error, DriverError):
        return str(error)
    return " ".join([type(error).__name__] + [str(argument) for argument in error.args])


def ignore_fault(name: str, reason: int, detail: str) -> None:
    """What `on_fault` of a driver is until somebody listens. Reason 0 means recovered."""
