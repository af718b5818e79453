"""What runs and stops look like on every page, by their state."""

from typing import NamedTuple

from doorward_server.planning.models import RunStatus, StopStatus


class StopLook(NamedTuple):
    """Classes of the style sheets, and the character in the station's dot (empty: its number)."""

    station: str
    chip: str
    mark: str


STOP_LOOKS = {
    StopStatus.PLANNED: StopLook("", "", ""),
    StopStatus.UNDER_WAY: StopLook("active", "wait", "●"),
    StopStatus.FROZEN: StopLook("bad", "bad", "!"),
    StopStatus.CLOSED: StopLook("done", "good", "✓"),
    StopStatus.CANCELLED: StopLook("", "", "–"),
}
RUN_LOOKS = {
    RunStatus.DRAFT: "",
    RunStatus.PROPOSED: "wait",
    RunStatus.RELEASED: "info",
    RunStatus.CLOSED: "good",
    RunStatus.CANCELLED: "",
}
