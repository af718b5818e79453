"""News of the manifest while a task is in hand: what the logic hears of its order and of its people."""

from unittest.mock import MagicMock

import pytest
from doorward_firmware.app import App
from doorward_firmware.logic import events
from doorward_firmware.logic.task import from_order
from doorward_protocol.objects import DELIVER, DUTY_DOOR, ESCORT, OFFICER

ORDER = {
    "task": 7,
    "version": 3,
    "kind": DELIVER,
    "expires": 1000,
    "vehicle": [9, "plate", b"epc", b"tid", None, None],
    "crew": [[11, DUTY_DOOR], [12, DUTY_DOOR]],
    "officers": [21],
    "boxes": [],
}


def person(role, until=1000):
    return {"role": role, "valid_from": 0, "valid_until": until}


ROSTER = {11: person(ESCORT), 12: person(ESCORT), 21: person(OFFICER)}
WITHOUT_ONE = {number: ROSTER[number] for number in (11, 21)}
LAPSED = {**ROSTER, 12: person(ESCORT, 500)}
ANOTHER = {**ROSTER, 13: person(ESCORT)}


@pytest.mark.parametrize(
    ("order", "roster", "complete", "version"),
    [
        (ORDER, ROSTER, True, 3),
        (ORDER, ANOTHER, True, 3),
        ({**ORDER, "version": 4}, ROSTER, True, 4),
        (None, ROSTER, False, None),
        (ORDER, WITHOUT_ONE, True, None),
        (ORDER, LAPSED, True, None),
        (ORDER, {}, False, 3),
    ],
    ids=["same", "somebody else's news", "newer", "revoked", "withdrawn", "permit", "roster not here yet"],
)
def test_what_a_new_manifest_means_to_the_task_in_hand(order, roster, complete, version):
    app = MagicMock()
    app.unit.handover.task = from_order(ORDER, ROSTER, b"nonce001", 1, 0)
    app.desired.order.return_value, app.desired.complete.return_value = order, complete
    app.desired.roster.return_value = roster
    App.orders_changed(app)
    app.handle.assert_called_once_with(events.REVISED, 7, version)
