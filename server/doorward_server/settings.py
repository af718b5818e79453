"""All settings of the server: environment variables with the prefix `DOORWARD_`, and defaults that just run.

Each setting is described in docs/operations.md; a test fails when one is not.
"""

from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from doorward_server.notify import targets


class Settings(BaseSettings):
    """What an operator may choose. Lengths of time carry their unit in the name."""

    # A refused value may hold a secret: what is wrong with it is said, the value is not.
    model_config = SettingsConfigDict(env_prefix="DOORWARD_", extra="forbid", hide_input_in_errors=True)

    data: Path = Path("data")
    database_url: str = ""
    host: str = "127.0.0.1"
    port: int = 8000
    uds: Path | None = None
    https: bool = False
    language: str = "zh"
    timezone: str = "Asia/Shanghai"
    printer: str = ""

    session_hours: int = 12
    password_minimum_length: int = 10
    login_failures: int = 5
    login_lock_seconds: int = 30
    argon2_time_cost: int = 3
    argon2_memory_kib: int = 65536

    approval_hours: int = 24
    order_grace_minutes: int = 60
    manifest_fresh_hours: int = 24
    command_seconds: int = 60
    upload_megabytes: int = 64

    backup_folder: Path | None = None
    backup_time: str = "03:00"
    backup_keep: int = 7
    notify: Annotated[tuple[targets.Target, ...], NoDecode] = ()

    @field_validator("language")
    @classmethod
    def _known_language(cls, value: str) -> str:
        if value not in ("zh", "en"):
            raise ValueError("language is zh or en")
        return value

    @field_validator("notify", mode="before")
    @classmethod
    def _parsed_targets(cls, value: object) -> object:
        return targets.parse(value)

    @field_validator("notify")
    @classmethod
    def _fitting_targets(cls, value: tuple[targets.Target, ...]) -> tuple[targets.Target, ...]:
        return targets.check_together(value)

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("timezone is a name of the IANA database, such as Asia/Shanghai") from error
        return value

    @field_validator("backup_time")
    @classmethod
    def _time_of_day(cls, value: str) -> str:
        try:
            if value:
                datetime.strptime(value, "%H:%M")  # noqa: DTZ007 - a time of day
        except ValueError as error:
            raise ValueError("backup_time is a time of day such as 03:00, or empty for none") from error
        return value

    @field_validator("backup_keep")
    @classmethod
    def _at_least_one(cls, value: int) -> int:
        if value < 1:
            raise ValueError("backup_keep is 1 or more")
        return value

    @property
    def backups(self) -> Path:
        """Folder of the backups: `backup_folder`, or one in the data folder."""
        return self.backup_folder or self.data / "backups"

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which dates of runs and permits are meant."""
        return ZoneInfo(self.timezone)

    @property
    def keys(self) -> Path:
        """Folder of the key files; readable by the server's own user alone."""
        return self.data / "keys"

    @property
    def database(self) -> str:
        """SQLAlchemy address of the database: `database_url`, or SQLite in the data folder."""
        return self.database_url or f"sqlite:///{self.data / 'doorward.sqlite'}"
