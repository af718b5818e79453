"""From reset to work: open and test the board, record the boot, take up what was left, start all tasks.

Nothing that is broken stops this: a part that fails is recorded and reported, and the unit does what it can
without it.
"""

from doorward_protocol import records
from doorward_protocol.compat import const
from doorward_protocol.errors import SENSOR_SILENT, UNPROTECTED
from doorward_protocol.records import DOOR_INNER, DOOR_OUTER, PANEL_INNER, PANEL_OUTER

from doorward_firmware.board import FUSES
from doorward_firmware.drivers.errors import observed
from doorward_firmware.drivers.fuses import burnt
from doorward_firmware.logic import entering, interlock, unit
from doorward_firmware.supervision import reason_of

_LOOK_BACK = const(64)  # records


async def start(app, board, reason, firmware):
    """Start the App on its board. reason: of the reset; firmware: version."""
    for name, fault, detail in await board.start():
        app.report(name, fault, detail)
    network = None
    try:
        network = board.network()
    except Exception as error:  # whatever the network's C module raises: the unit works without
        app.report("network", SENSOR_SILENT, observed(error)[:120])
    tests = await _self_tests(app, board)
    protections = burnt(FUSES)
    for name, ok in protections:
        if not ok:
            app.faults.present[name] = UNPROTECTED  # for the status; the record is `boot`
    app.record(
        "boot", reason=reason, firmware=firmware, tests=tests + protections, manifest=app.desired.version
    )
    _restore(app, board.doors)
    app.start(network)


async def _self_tests(app, board):
    """Return [[name, ok] …] of all parts."""
    try:
        results = await board.self_tests()
    except Exception as error:
        app.report("self-test", *reason_of(error))
        return [["self-test", False]]
    return [[name, ok] for name, ok, _ in results]


def _restore(app, doors):
    contacts = interlock.Interlock(doors.is_open(DOOR_OUTER), doors.is_open(DOOR_INNER))
    left = what_was_left(app.state, app.journal)
    hand = left[0]
    if hand is not None:
        app.arrivals.expect(hand[1][2])
    app.restore(*unit.restore(*left, contacts, app.clock.ticks(), app.clock.now()))


def what_was_left(state, journal):
    """Return (hand, completed, end, lockouts), as `logic.unit.restore` takes them, from the stores."""
    lockouts = {PANEL_OUTER: state.get("lockout_outer"), PANEL_INNER: state.get("lockout_inner")}
    hand = state.get("hand")
    end = None if hand is None else _end(journal, hand[1][1])
    return hand, state.get("completed", []), end, lockouts


def _end(journal, nonce):
    """(name, index) of the newest of the recent records that say how the attempt with this nonce ended."""
    for index in range(journal.size - 1, max(-1, journal.size - 1 - _LOOK_BACK), -1):
        entry = journal.entry(index)
        if entry is not None:
            record = records.decode(entry)
            if record.name in entering.ENDS and record.fields["nonce"] == nonce:
                return record.name, index
    return None
