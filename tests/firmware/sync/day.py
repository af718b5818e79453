"""A day's manifest: a roster, an order, configuration and prompts with everything they name, as blobs."""

import random

from bench import HOUR, NOON
from doorward_protocol import objects

WEEK = 7 * 24 * HOUR


def stuff(label, length):
    return random.Random(label).randbytes(length)


class Day:
    """Contents for a server to hold; `manifest(...)` signs what lists them."""

    def __init__(self, bench, task=7):
        self.bench, self.server, self.task = bench, bench.server, task
        self.people = [self.person(number, objects.ESCORT) for number in (11, 12)]
        self.people.append(self.person(31, objects.OFFICER))
        self.vehicle = [
            5, "粤A12345", b"\x30" * 12, b"\xe2" * 12,
            self.put("plate clip", 9000), self.put("plate label", 15364),
        ]  # fmt: skip
        prompts = [[1, self.put("welcome", 20_000), None], [2, None, self.put("picture", 30_000)]]
        self.entries = [
            self.list("configuration", 1, site=1, site_type=2, name="城西", language="zh", fail_secure=[2],
                      settings=[["DOOR_RELEASE_MS", 8000]]),
            self.list("roster", 1, site=1, people=self.people),
            self.order(),
            self.list("prompts", 1, language="zh", prompts=prompts),
        ]  # fmt: skip

    def put(self, label, length):
        return self.server.put(stuff(f"{self.bench.seed} {label}", length))

    def person(self, number, role):
        finger = ["R503", 1, False, self.put(f"template {number}", 1536)]
        return [
            number, role, NOON - WEEK, NOON + WEEK, f"张{number}", f"E{number}", "Escorts Ltd",
            self.put(f"photo {number}", 38404), self.put(f"clip {number}", 12_000),
            self.put(f"label {number}", 15_364), None, [finger],
        ]  # fmt: skip

    def list(self, kind_name, number, listed_version=1, **fields):
        """One entry of a manifest, its content held by the server."""
        kind = {"roster": 1, "order": 2, "configuration": 3, "prompts": 4}[kind_name]
        content = objects.encode_blob(kind_name, **fields)
        return [kind, number, listed_version, self.server.put(content), len(content)]

    def order(self, version=1, listed_as=None, **changes):
        fields = {
            "task": self.task, "version": version, "kind": objects.DELIVER, "site": 1,
            "window_from": NOON - HOUR, "window_until": NOON + HOUR, "expires": NOON + 2 * HOUR,
            "vehicle": self.vehicle, "crew": [[11, 1], [12, 1]], "officers": [31],
            "boxes": [[1, "B-1", b"\x31" * 12, b"\xe3" * 12, None]],
        }  # fmt: skip
        fields.update(changes)
        return self.list("order", listed_as or self.task, version, **fields)

    def manifest(self, version=1, entries=None, key=None, kid=b"dispatch", **changes):
        fields = {
            "unit": self.bench.unit_id, "version": version, "issued": NOON, "fresh_until": NOON + 24 * HOUR,
            "entries": self.entries if entries is None else entries,
        }  # fmt: skip
        fields.update(changes)
        return self.bench.authorities.sign("manifest", key=key, kid=kid, **fields)

    def everything(self):
        """All hashes that the manifest names."""
        return set(self.server.blobs)
