"""Every setting, typed, read from the environment once, by entry points only."""

from __future__ import annotations

from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from platformdirs import user_cache_path, user_data_path
from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    FilePath,
    HttpUrl,
    SecretStr,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    SettingsConfigDict,
)


def _named(variable: str) -> Any:
    """Not set by default, and known by the name that others gave it too."""
    return Field(default=None, validation_alias=AliasChoices(variable, variable.lower()))


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
    model_seconds: float = Field(default=1.5, gt=0)  #: for all language models together, a turn
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


def _web_address(url: str | None) -> str | None:
    """Found out now: a client would say so in the middle of a call."""
    if url is not None:
        try:
            _HTTP_URL.validate_python(url)
        except ValidationError:
            msg = "write it like http://127.0.0.1:8080/v1 or https://api.example.com/v1"
            raise ValueError(msg) from None
    return url


_HTTP_URL: TypeAdapter[HttpUrl] = TypeAdapter(HttpUrl)
WebAddress = Annotated[str | None, AfterValidator(_web_address)]


class ModelProvider(_Group):
    """A language model that reads what the local understanding is not sure of, behind OpenAI's chat completions."""

    provider: Literal["openai"] = "openai"
    base_url: WebAddress = None  #: default: openai_base_url, else OpenAI's; any compatible server
    model: str = "gpt-4.1-mini"  #: quick, and answers in a given form
    api_key: SecretStr | None = None  #: default: OPENAI_API_KEY, which no other server gets
    temperature: float | None = Field(default=0.0, ge=0, le=2)  #: null: the model's own


#: LiveKit's own, none, or a file of one's own (Ogg, MP3, WAV).
HoldMusic = Literal["music", "none"] | FilePath


class SpeechProvider(_Group):
    """Where one direction of speech is done. Several are tried in order: the next one when one fails."""

    provider: Literal["deepgram", "cartesia", "openai"]
    base_url: str | None = (
        None  #: default: the vendor's own; any OpenAI-compatible server with `openai`
    )
    model: str | None = None  #: default: nova-3, sonic-3, or what the OpenAI plugin takes
    api_key: SecretStr | None = None  #: default: the vendor's key in the environment
    #: voice ids, one a language; default: `voices` for Cartesia, the plugin's own for others
    voices: dict[Literal["en", "es", "fr"], str] | None = None


class VoiceSettings(_Group):
    """What the line hears and speaks with, and how patient it is. Times in seconds."""

    agent_name: str = "holdfast"
    stt: tuple[SpeechProvider, ...] = (SpeechProvider(provider="deepgram"),)
    tts: tuple[SpeechProvider, ...] = (SpeechProvider(provider="cartesia"),)
    #: Cartesia's voice ids, one a language
    voices: dict[Literal["en", "es", "fr"], str] = {
        "en": "f786b574-daa5-4673-aa0c-cbe3e8534c02",
        "es": "5c5ad5e7-1020-476b-8b91-fdcbe9cc313c",
        "fr": "a249eaff-1e96-4d2c-b23b-12efa4f66f41",
    }
    #: the company's own words, expected in every turn: letters its order numbers begin with, names of products
    keyterms: tuple[str, ...] = ("HF",)
    turn_detection: Literal["model", "vad"] = "model"  #: LiveKit's local model, or pauses alone
    noise_suppression: bool = True
    primary_speaker: bool = True  #: side voices don't answer for the caller
    holding_after: float = Field(default=4.0, gt=0)  #: of our own work, before a holding phrase
    silence_after: float = Field(
        default=15.0, gt=0
    )  #: of the caller's, before "are you still there?"
    blip: float = Field(
        default=20.0, ge=0
    )  #: how long a caller whose network went away is waited for
    transfer_to: str | None = None  #: `tel:` or `sip:` address callers are put through to
    #: LiveKit's outbound trunk, to ring a colleague on and tell them who waits; default: the phone network moves calls
    transfer_trunk: str | None = None
    transfer_ring: float = Field(default=25.0, gt=0)  #: how long a colleague's phone rings
    transfer_language: Literal["en", "es", "fr"] = "en"  #: what the colleagues are told in
    hold_music: HoldMusic = "music"  #: for the caller, while a colleague is rung and told
    calls_per_worker: int = Field(default=0, ge=0)  #: 0: as many as the processor carries
    idle_processes: int = Field(default=8, ge=0)  #: kept ready for calls that come at once
    http_port: int = Field(default=8081, ge=0)  #: the worker's health and load


class LiveKitSettings(_Group):
    """As LiveKit's own tools name them: LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET."""

    url: str
    api_key: str
    api_secret: SecretStr


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
    database_url: SecretStr | None = _named("DATABASE_URL")
    encryption_key: SecretStr | None = None
    openai_api_key: SecretStr | None = _named("OPENAI_API_KEY")
    openai_base_url: WebAddress = None
    #: asked in this order; none given: OpenAI's, when there is a key; an empty list: none
    models: tuple[ModelProvider, ...] | None = None
    embedding_model: str = "text-embedding-3-small"
    deepgram_api_key: SecretStr | None = _named("DEEPGRAM_API_KEY")
    cartesia_api_key: SecretStr | None = _named("CARTESIA_API_KEY")
    livekit_url: str | None = _named("LIVEKIT_URL")
    livekit_api_key: str | None = _named("LIVEKIT_API_KEY")
    livekit_api_secret: SecretStr | None = _named("LIVEKIT_API_SECRET")
    log_level: Literal["debug", "info", "warning", "error"] = "warning"
    company: CompanySettings = CompanySettings()
    calls: CallSettings = CallSettings()
    limits: LimitSettings = LimitSettings()
    postgres: PostgresSettings = PostgresSettings()
    studio: StudioSettings = StudioSettings()
    voice: VoiceSettings = VoiceSettings()

    @field_validator("home", "cache")
    @classmethod
    def absolute(cls, folder: Path) -> Path:
        """`~` is a home where a shell has not seen it, and the folder stays where it is when the process moves."""
        return folder.expanduser().absolute()

    @field_validator("models")
    @classmethod
    def allowed(
        cls, models: tuple[ModelProvider, ...] | None, info: ValidationInfo
    ) -> tuple[ModelProvider, ...] | None:
        """A model of OpenAI's needs their key, and so says whoever starts the line, not its log in mid-call."""
        given = info.data.get("openai_api_key")
        if not given and any(one.base_url is None and one.api_key is None for one in models or ()):
            msg = "a model without base_url is OpenAI's, and OPENAI_API_KEY is not set"
            raise ValueError(msg)
        return models

    @property
    def reading_models(self) -> tuple[ModelProvider, ...]:
        """The models that read, each with its address and key, if it has them; none without a setting or a key."""
        openais = (ModelProvider(),) if self.openai_api_key else ()
        models = openais if self.models is None else self.models
        return tuple(self._addressed(one) for one in models)

    def _addressed(self, one: ModelProvider) -> ModelProvider:
        if one.base_url is not None:
            return one
        key = one.api_key or self.openai_api_key
        return one.model_copy(update={"base_url": self.openai_base_url, "api_key": key})

    @classmethod
    def own_names(cls) -> dict[str, str]:
        """Settings that others named: variable by field."""
        aliases = {name: field.validation_alias for name, field in cls.model_fields.items()}
        return {
            name: str(alias.choices[0])
            for name, alias in aliases.items()
            if isinstance(alias, AliasChoices)
        }

    @classmethod
    def unknown_names(cls) -> dict[str, str | None]:
        """Variables, and lines of `.env`, that begin as ours do and set nothing; with what was probably meant."""
        prefix, theirs = "HOLDFAST_", cls.own_names()
        ours = {name.upper() for name in cls.model_fields if name not in theirs}
        given = {*EnvSettingsSource(cls).env_vars, *DotEnvSettingsSource(cls).env_vars}
        named = {name: name.upper().partition("__")[0] for name in sorted(given)}
        unknown: dict[str, str | None] = {}
        for name, group in named.items():
            if group.startswith(prefix) and (own := group.removeprefix(prefix)) not in ours:
                near = get_close_matches(own, ours, 1)
                unknown[name.upper()] = prefix + near[0] if near else None
        return unknown

    @property
    def livekit(self) -> LiveKitSettings:
        """Where calls come from.

        Raises:
            ValueError: what is missing.
        """
        given = {
            "LIVEKIT_URL": self.livekit_url,
            "LIVEKIT_API_KEY": self.livekit_api_key,
            "LIVEKIT_API_SECRET": self.livekit_api_secret,
        }
        missing = [name for name, value in given.items() if not value]
        if missing:
            msg = f"{' and '.join(missing)} not set: the line needs a LiveKit server (see .env.example)"
            raise ValueError(msg)
        return LiveKitSettings(
            url=str(self.livekit_url),
            api_key=str(self.livekit_api_key),
            api_secret=self.livekit_api_secret or SecretStr(""),
        )
