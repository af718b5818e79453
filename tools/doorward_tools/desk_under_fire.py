"""A dispatcher who keeps drafts as fast as the server takes them, and remembers which were confirmed."""

import asyncio
import http.client
import json
from datetime import date
from typing import Any

AGAIN_SECONDS = 0.1
PAUSE_SECONDS = 0.03
PATIENCE_SECONDS = 10
DAY = date(2030, 1, 1)  # far from every day that is played


class Desk:
    """Posts drafts, each with a note of its own; `confirmed` maps the notes to the server's numbers."""

    def __init__(self, port: int, login: str, password: str) -> None:
        self._port, self._login, self._password = port, login, password
        self._headers: dict[str, str] = {}
        self._finishing = False
        self._count = 0
        self.confirmed: dict[str, int] = {}

    def finish(self) -> None:
        """Begin no more, once a draft was confirmed: a desk that never got a word in would show nothing."""
        self._finishing = True

    async def serve(self) -> None:
        """Work until told to finish. A draft that was not confirmed is given up: it may be there or not."""
        while not (self._finishing and self.confirmed):
            try:
                await asyncio.to_thread(self._work)
                await asyncio.sleep(PAUSE_SECONDS)
            except (OSError, http.client.HTTPException):
                await asyncio.sleep(AGAIN_SECONDS)

    def _work(self) -> None:
        if not self._headers:
            status, answer, cookie = self._post(
                "/api/login", {"login": self._login, "password": self._password}
            )
            if status != 200:
                raise RuntimeError(f"the desk cannot log in: {status} {answer}")
            self._headers = {"cookie": cookie, "x-csrf-token": answer["csrf_token"]}
        self._count += 1
        note = f"under fire {self._count}"
        draft = {"date": DAY.isoformat(), "vehicle_id": 1, "crew": [], "stops": [], "note": note}
        status, answer, _ = self._post("/api/runs", draft)
        if status != 201:
            raise RuntimeError(f"a draft was answered with {status} {answer}")
        self.confirmed[note] = answer["id"]

    def _post(self, path: str, body: dict[str, Any]) -> tuple[int, Any, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_SECONDS)
        try:
            headers = {"content-type": "application/json", **self._headers}
            connection.request("POST", path, json.dumps(body), headers)
            answer = connection.getresponse()
            content = answer.read()
            cookie = (answer.getheader("set-cookie") or "").partition(";")[0]
            return answer.status, json.loads(content) if content else None, cookie
        finally:
            connection.close()
