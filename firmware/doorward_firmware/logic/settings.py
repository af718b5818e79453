"""Every time span and count of the unit's logic, in one table.

A unit's signed configuration may override each of them by name, within the bounds given here, so that no
configuration can make a lock pointless or a door stay released.
"""

# name: (default, least, most); names in _MS are milliseconds. docs/unit.md repeats it, comments included.
SETTINGS = {
    "DOOR_RELEASE_MS": (10_000, 1_000, 60_000),  # a released door is locked again if nobody opens it
    "HELD_OPEN_MS": (30_000, 5_000, 300_000),  # a door that stands open longer is reported as held open
    "PREPARE_TIMEOUT_MS": (60_000, 10_000, 600_000),  # to load the crew's templates after the vehicle came
    "CREW_TIMEOUT_MS": (300_000, 30_000, 3_600_000),  # from one crew finger to the next
    "PICTURE_TIMEOUT_MS": (10_000, 2_000, 60_000),  # to take the picture of the whole crew
    "APPROVAL_TIMEOUT_MS": (300_000, 30_000, 3_600_000),  # for somebody to compare the pictures and decide
    "OFFICER_CONFIRM_MS": (30_000, 5_000, 300_000),  # from the officer's finger to the button
    "CHAMBER_TIMEOUT_MS": (120_000, 10_000, 600_000),  # for the officer to let a crew out of the interlock
    "BOX_SILENCE_MS": (20_000, 2_000, 120_000),  # reading boxes ends after this long without a new tag
    "BOX_ATTEMPTS": (3, 1, 3),  # how often the boxes are read: once, and twice more by the officer
    "RECOUNT_TIMEOUT_MS": (300_000, 30_000, 3_600_000),  # for the officer to have the boxes read again
    "CLOSE_TIMEOUT_MS": (300_000, 30_000, 3_600_000),  # for officer and crew to close with a finger each
    "LEFT_AFTER_MS": (15_000, 2_000, 600_000),  # a vehicle has left when its tag was not read for so long
    "EMERGENCY_HOLD_MS": (3_000, 1_000, 30_000),  # both buttons held so long release both doors
    "EMERGENCY_RELEASE_MS": (30_000, 5_000, 300_000),  # how long the emergency release lasts
}


def defaults():
    """Return {name: value} of all settings."""
    return {name: SETTINGS[name][0] for name in SETTINGS}


def override(pairs):
    """Return (settings, refused) for a configuration's [[name, value] …]; refused lists unknown names and
    values out of bounds, which keep their defaults."""
    values, refused = defaults(), []
    for name, value in pairs:
        if name not in SETTINGS or not SETTINGS[name][1] <= value <= SETTINGS[name][2]:
            refused.append(name)
        else:
            values[name] = value
    return values, refused
