"""A person at a desk, whose browser uses the server's API: logs in once, then carries cookie and token."""

import json
from typing import Any

from .http_client import HttpClient, Response
from .network import Cable, Network


class DeskError(Exception):
    """The server refused what the person asked; the text is the server's."""


class Desk:
    """One user's browser. `events` gathers the live feed after `listen`: (world ms, data)."""

    def __init__(self, network: Network, cable: Cable, host: str, port: int, login: str, password: str):
        self.login = login
        self.events: list[tuple[int, dict]] = []
        self._password, self._token = password, ""
        self._client = HttpClient(network, cable, host, port)
        self._world = network.world

    def get(self, path: str) -> Any:
        """The JSON at a path of the API."""
        return self._ask("GET", path, None).json()

    def download(self, path: str) -> bytes:
        """The bytes at a path, such as a picture."""
        return self._ask("GET", path, None).body

    def post(self, path: str, content: dict | None = None) -> Any:
        """Send a change; the JSON of the answer, or None where there is none."""
        answer = self._ask("POST", path, content or {})
        return answer.json() if answer.body else None

    def listen(self, path: str) -> None:
        """Follow the live feed."""
        self._log_in()
        self._client.stream(path, self._event)

    def go_home(self) -> None:
        """Close the browser: the next question logs in anew. A server ends a session after some hours."""
        self._token = ""

    def _event(self, _name: str, data: str) -> None:
        self.events.append((self._world.now(), json.loads(data)))

    def _ask(self, method: str, path: str, content: dict | None) -> Response:
        self._log_in()
        answer = self._client.request(method, path, content)
        if answer.status >= 400:
            raise DeskError(f"{self.login}: {method} {path}: {_reason(answer)}")
        return answer

    def _log_in(self) -> None:
        if self._token:
            return
        answer = self._client.request("POST", "/api/login", {"login": self.login, "password": self._password})
        if answer.status != 200:
            raise DeskError(f"{self.login} cannot log in: {_reason(answer)}")
        self._token = answer.json()["csrf_token"]
        self._client.headers["X-CSRF-Token"] = self._token


def _reason(answer: Response) -> str:
    try:
        problem = answer.json()
        return f"{problem['reason']}: {problem['message_en']} {json.dumps(problem.get('details') or '')}"
    except (ValueError, KeyError, TypeError):
        return str(answer)
