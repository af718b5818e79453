"""Fingerprint modules that speak EF01: what their data sheets say of each.

R503   GROW R503 user manual 1.2.2: capacitive, round window, colour ring, 200 slots of 1,536 bytes.
AS608  Synochip AS608 (the ZFM-20 manual's command set): optical, 162 slots of 512 bytes, one green light.
LIVE   An R503-compatible module with live-finger detection. No public EF01 manual has a code that is
       called "fake finger". The nearest documented one is 0x34, "static foreign object in the image",
       answered to an image capture (M5Stack Unit Fingerprint2 protocol 1.0, return table; Synochip's
       command set), beside 0x04 too dry and 0x05 too wet. That is what this profile answers.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Profile:
    """What distinguishes one model from another; sizes in pixels and bytes, times in ms."""

    model: str
    sensor: str
    capacity: int
    template_size: int
    image_width: int
    image_height: int
    window: tuple[int, int]  # half width and half height that see a finger, pixels
    product_info: bool  # instruction 0x3C and the other additions of GROW
    ring: bool  # colour ring (0x35); otherwise one light (0x50, 0x51)
    touched_level: int  # of the touch output while a finger lies on it
    unknown_instruction: int  # confirmation code
    dry_code: int
    wet_code: int
    spoof_code: int | None = None
    start_ms: int = 200
    capture_ms: int = 150
    empty_capture_ms: int = 60
    features_ms: int = 320
    merge_ms: int = 300
    search_ms: int = 5
    search_each_ms: int = 2
    store_ms: int = 40


R503 = Profile(
    model="R503",
    sensor="GR192RGB",
    capacity=200,
    template_size=1536,
    image_width=192,
    image_height=192,
    window=(96, 96),
    product_info=True,
    ring=True,
    touched_level=0,
    unknown_instruction=0xFC,
    dry_code=0x07,
    wet_code=0x06,
)
AS608 = Profile(
    model="AS608",
    sensor="OPTICAL",
    capacity=162,
    template_size=512,
    image_width=256,
    image_height=288,
    window=(128, 144),
    product_info=False,
    ring=False,
    touched_level=1,
    unknown_instruction=0x01,
    dry_code=0x07,
    wet_code=0x06,
    capture_ms=180,
    features_ms=400,
)
LIVE = Profile(
    model="R503-LFD",
    sensor="GR192LFD",
    capacity=200,
    template_size=1536,
    image_width=192,
    image_height=192,
    window=(96, 96),
    product_info=True,
    ring=True,
    touched_level=0,
    unknown_instruction=0xFC,
    dry_code=0x04,
    wet_code=0x05,
    spoof_code=0x34,
    capture_ms=180,
)
