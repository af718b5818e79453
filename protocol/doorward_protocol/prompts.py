"""The numbered prompts that a unit speaks and shows.

A prompt pack (blob `prompts`) carries a voice clip and a picture for each number; the texts in Chinese and
English are kept where the clips are made, on the server. Prompt 27 is followed by the clip of the officer's
name.
"""

PROMPTS = {
    1: "welcome_idle",
    2: "vehicle_arrived",
    3: "touch_finger",
    4: "finger_accepted",
    5: "finger_refused_retry",
    6: "panel_locked",
    7: "crew_complete_wait",
    8: "compare_pictures",
    9: "approved_enter",
    10: "refused",
    11: "close_outer_door",
    12: "enter_inner",
    13: "bring_boxes",
    14: "reading_boxes",
    15: "boxes_complete",
    16: "box_missing",
    17: "box_foreign",
    18: "officer_finger",
    19: "crew_finger",
    20: "handover_closed",
    21: "goodbye",
    22: "vehicle_refused_early",
    23: "vehicle_refused_completed",
    24: "vehicle_refused_unknown",
    25: "frozen_wait",
    26: "look_at_camera",
    27: "officer_verified",
    28: "task_restarted",
    29: "spoof_refused",
    30: "clock_unsure",
    31: "out_of_order",
    32: "leave_through_door",
}

NUMBERS = {name: number for number, name in PROMPTS.items()}  # the other way round, by name
