"""Who is told of alarms and arrivals: the targets, as the setting DOORWARD_NOTIFY lists them.

An address may hold a key (a WeCom robot's is nothing else), and a secret is one: both are kept as
`SecretStr`, so that no log, refusal or page shows them.
"""

import base64
import binascii
import ipaddress
import json
from enum import StrEnum
from typing import Literal, Self
from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

MOST_TARGETS = 16  # each has a thread
SECRET_PREFIX = "whsec_"  # noqa: S105 - of the Standard Webhooks, where the word is to be found by scanners
_SECRET_BYTES = range(24, 65)


class TargetKind(StrEnum):
    """What a receiver understands: JSON signed after the Standard Webhooks, or a WeCom group robot's."""

    JSON = "json"
    WECOM = "wecom"


class Target(BaseModel):
    """One receiver: where, how, of what, in which language."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9-]{1,32}$")
    kind: TargetKind
    address: SecretStr
    secret: SecretStr = Field(default=SecretStr(""), validate_default=True)
    # The least severity of which it is told.
    alarms: Literal["none", "info", "warning", "high", "critical"] = "high"
    arrivals: bool = False
    # Whether it is told of silent alarms too: only where nobody of a branch reads along (D9).
    silent: bool = False
    language: Literal["zh", "en"] | None = None

    @field_validator("address")
    @classmethod
    def _safe_address(cls, value: SecretStr) -> SecretStr:
        address = value.get_secret_value()
        try:
            parts = urlsplit(address)
            host, _port = parts.hostname, parts.port
        except ValueError:
            raise ValueError("is no address") from None
        if not all("!" <= one <= "~" for one in address):
            raise ValueError("is no address: it holds a space or a character that belongs encoded")
        if not host or parts.username is not None or parts.fragment:
            raise ValueError("has to be https://HOST/…, without user, password or #")
        if parts.scheme != "https" and not (parts.scheme == "http" and _is_this_machine(host)):
            raise ValueError("has to begin with https:// (http:// is for this machine itself alone)")
        return value

    @field_validator("secret")
    @classmethod
    def _long_secret(cls, value: SecretStr) -> SecretStr:
        given = value.get_secret_value()
        if given and (not given.startswith(SECRET_PREFIX) or len(_decoded(given)) not in _SECRET_BYTES):
            raise ValueError(
                "has to be whsec_ and 24 to 64 bytes in base64: `openssl rand -base64 32` makes them"
            )
        return value

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.kind == TargetKind.JSON and not self.signing_key:
            raise ValueError("a json target needs a secret, by which its receiver knows that we sent it")
        if self.kind == TargetKind.WECOM and self.signing_key:
            raise ValueError("a wecom target has no secret: its address holds its key")
        if self.kind == TargetKind.WECOM and not self._robot_key:
            raise ValueError("the address of a wecom target ends with ?key=…, as the robot's page shows it")
        if self.alarms == "none" and not self.arrivals:
            raise ValueError("it is told nothing: set alarms or arrivals")
        if self.alarms == "none" and self.silent:
            raise ValueError("silent needs alarms")
        return self

    @property
    def host(self) -> str:
        """The part of the address that may be shown."""
        return urlsplit(self.address.get_secret_value()).hostname or ""

    @property
    def is_secure(self) -> bool:
        """Whether it is reached by TLS."""
        return self.address.get_secret_value().startswith("https:")

    @property
    def signing_key(self) -> bytes:
        """The key of the signatures; empty for none."""
        return _decoded(self.secret.get_secret_value())

    def redacted(self, text: str) -> str:
        """A text from outside without what only this target may know, without control characters, short."""
        parts = urlsplit(self.address.get_secret_value())
        for private in (self.address.get_secret_value(), parts.query, self._robot_key, parts.path):
            if len(private) > 1:
                text = text.replace(private, "…")
        return "".join(one if one.isprintable() else " " for one in text)[:200]

    @property
    def _robot_key(self) -> str:
        return parse_qs(urlsplit(self.address.get_secret_value()).query).get("key", [""])[0]


def parse(value: object) -> object:
    """The variable's text as JSON; anything but text as it is. Raises ValueError."""
    if not isinstance(value, str):
        return value
    try:
        found = json.loads(value or "[]")
    except (ValueError, RecursionError):
        found = None  # what it says would show the text
    if not isinstance(found, list):
        raise ValueError("is no JSON list; docs/operations.md has an example")
    return found


def check_together(targets: tuple[Target, ...]) -> tuple[Target, ...]:
    """Refuse what cannot be side by side. Raises ValueError."""
    if len(targets) > MOST_TARGETS:
        raise ValueError(f"has more than {MOST_TARGETS} targets")
    if len({target.name for target in targets}) < len(targets):
        raise ValueError("two targets have the same name")
    return targets


def _decoded(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
