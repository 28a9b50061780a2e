"""What the operator of the machine sets: addresses, keys and limits. A scenario file never holds any of it.

Given by name, else ``SOCIETY_*`` in the environment, else in ``.env``, else in ``society.toml``; the first that says
something wins. Keys are secrets: they show as stars wherever settings are printed.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from society.core.errors import BadInput
from society.models.prices import Price


class ProviderSettings(BaseSettings):
    """How models are reached, and how hard."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        env_prefix="SOCIETY_",
        env_file=".env",
        toml_file="society.toml",
        env_nested_delimiter="__",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )

    concurrency: int = Field(16, ge=1, le=10_000)
    """most calls in flight at one provider"""
    requests_per_minute: int | None = Field(None, ge=1)
    """most calls started in any minute at one provider"""
    tokens_per_minute: int | None = Field(None, ge=1)
    """most tokens a minute at one provider, prompt and longest answer together"""
    call_seconds: float = Field(120, gt=0)
    """total time of one try, from sending to the last byte"""
    max_tries: int = Field(6, ge=1, le=100)
    """most tries of one call"""
    retry_seconds: float = Field(600, gt=0)
    """longest time after which a failed call is still tried again"""
    max_body_bytes: int = Field(8 * 2**20, ge=1024)
    """largest answer read, in bytes after decompression"""
    cache: Path | None = None
    """file of the response cache; none by default"""
    api_key: SecretStr | None = None
    """SOCIETY_API_KEY: the key for models named by their address"""
    openai_api_key: SecretStr | None = Field(
        None, validation_alias=AliasChoices("OPENAI_API_KEY", "openai_api_key"), repr=False
    )
    """OPENAI_API_KEY: the key for openai:NAME"""
    openai_base_url: str | None = Field(None, validation_alias=AliasChoices("OPENAI_BASE_URL", "openai_base_url"))
    """OPENAI_BASE_URL: another address for openai:NAME"""
    prices: dict[str, Price] = Field(default_factory=dict)
    """US dollars per million tokens, by model name"""
    local_model: Path | None = None
    """a GGUF file that `local` stands for, instead of the embedded one"""
    local_threads: int | None = Field(None, ge=1)
    """threads of the embedded model; default: all cores to read a prompt, all but one to write an answer"""
    local_slots: int = Field(5, ge=1, le=64)
    """prompts the embedded model keeps at hand, and most calls it answers at once"""
    local_context_tokens: int = Field(4096, ge=512)
    """longest prompt and answer of the embedded model together"""
    local_reproducible: bool = False
    """one call at a time and no reuse of earlier prompts: slower, and a seed then gives the same answer every time"""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, dotenv_settings, TomlConfigSettingsSource(settings_cls)

    @classmethod
    def read(cls, **given: object) -> ProviderSettings:
        """The settings in force; those given as None are looked up.

        Raises:
            BadInput: a value is wrong, or a file cannot be read; names the setting, never shows the value.
        """
        try:
            return cls(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]  # validated right here
        except ValidationError as problem:
            first = problem.errors(include_input=False, include_url=False)[0]
            name = ".".join(str(part) for part in first["loc"])
            raise BadInput(
                f"setting {name}: {first['msg']} (from the command line, SOCIETY_{name.upper()}, .env or society.toml)"
            ) from None
        except (OSError, ValueError) as problem:
            raise BadInput(f"society.toml cannot be read: {type(problem).__name__}: {problem}") from None

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every configured key, to be struck out of whatever is printed or stored."""
        keys = (self.api_key, self.openai_api_key)
        return tuple(key.get_secret_value() for key in keys if key is not None and key.get_secret_value())
