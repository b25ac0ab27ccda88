"""Every setting, typed, read from the environment once, by entry points only."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import available_timezones

from platformdirs import user_cache_path, user_data_path
from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CompanySettings(_Group):
    name: str = "Juniper and Oak"  #: as the line says it
    country: str = Field(default="US", pattern="^[A-Z]{2}$")  #: where a caller without a number is
    zone: str | None = None  #: time zone for such callers; default: the country's
    #: whether a caller can be put through to a person now: as the table company.staff says, or whatever it says
    staff: Literal["table", "always", "never"] = "table"

    @field_validator("zone")
    @classmethod
    def known(cls, zone: str | None) -> str | None:
        """Found out now, and not in the middle of a call."""
        if zone and zone not in available_timezones():
            msg = "there is no such time zone: write it like Europe/Madrid"
            raise ValueError(msg)
        return zone


class CallSettings(_Group):
    #: how long a dropped call can be taken up again
    resume_window: timedelta = Field(default=timedelta(hours=3), ge=timedelta(), le=timedelta(365))
    recorded: bool = False  #: the greeting then says that the call is recorded
    utterance_limit: int = Field(default=2000, gt=0)  #: characters; what is longer is cut


class LimitSettings(_Group):
    lookup_seconds: float = Field(default=2.0, gt=0)
    lookups_per_call_minute: int = Field(default=60, gt=0)
    lookups_per_second: int = Field(default=500, gt=0)


class PostgresSettings(_Group):
    pool_min: int = Field(default=1, ge=0)
    pool_max: int = Field(default=10, ge=2)  #: a migration needs two at once
    pooler: bool = (
        False  #: a transaction pooler (PgBouncer) stands in front: no prepared statements
    )

    @model_validator(mode="after")
    def ordered(self) -> PostgresSettings:
        if self.pool_min > self.pool_max:
            msg = "POOL_MIN must not be more than POOL_MAX"
            raise ValueError(msg)
        return self


class StudioSettings(_Group):
    writes: bool = False  #: turns run in Studio are turns of the call; else they are replays


class Settings(BaseSettings):
    """The environment of a Holdfast process. Names are `HOLDFAST_` plus the field, groups joined by `__`."""

    model_config = SettingsConfigDict(
        env_prefix="HOLDFAST_",
        env_nested_delimiter="__",
        env_ignore_empty=True,  # a line of .env.example that was not filled in
        env_file=".env",
        extra="ignore",
        frozen=True,
        populate_by_name=True,
    )

    home: Path = Field(default_factory=lambda: user_data_path("holdfast", appauthor=False))
    cache: Path = Field(default_factory=lambda: user_cache_path("holdfast", appauthor=False))
    database_url: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("DATABASE_URL", "database_url")
    )
    encryption_key: SecretStr | None = None
    openai_api_key: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("OPENAI_API_KEY", "openai_api_key")
    )
    openai_base_url: str | None = None
    embedding_model: str = "text-embedding-3-small"
    log_level: Literal["debug", "info", "warning", "error"] = "warning"
    company: CompanySettings = CompanySettings()
    calls: CallSettings = CallSettings()
    limits: LimitSettings = LimitSettings()
    postgres: PostgresSettings = PostgresSettings()
    studio: StudioSettings = StudioSettings()

    @field_validator("home", "cache")
    @classmethod
    def absolute(cls, folder: Path) -> Path:
        """`~` is a home where a shell has not seen it, and the folder stays where it is when the process moves."""
        return folder.expanduser().absolute()
