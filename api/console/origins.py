"""Where requests that a browser makes come from: what another site has it send is not taken."""

from urllib.parse import urlsplit

from pydantic import field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from starlette.datastructures import Headers

SAME = "same-origin"


class OriginSettings(BaseSettings):
    """How browsers reach the console, from the environment with the prefix `LEDGER_`.

    `console_origin` is needed where a reverse proxy stands in front of it: what browsers are shown, such as
    `https://ledger.example.com`.
    """

    model_config = SettingsConfigDict(env_prefix="LEDGER_", env_ignore_empty=True, extra="ignore")

    console_origin: str | None = None

    @field_validator("console_origin")
    @classmethod
    def _is_an_origin(cls, stated: str | None) -> str | None:
        if stated is None:
            return None
        parts = urlsplit(stated.rstrip("/"))
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path or parts.query or parts.fragment:
            raise ValueError(f"{stated!r} is no origin; state scheme and host, such as https://ledger.example.com")
        return f"{parts.scheme}://{parts.netloc}".lower()


class Origins:
    """Judges requests by the headers that browsers add and no page can forge."""

    def __init__(self, settings: OriginSettings | None = None) -> None:
        self._stated = (settings or OriginSettings()).console_origin

    def is_own(self, headers: Headers) -> bool:
        """Whether a request comes from a page of the console, or from no browser: those always say where from."""
        if headers.get("sec-fetch-site", SAME) != SAME:
            return False
        origin = headers.get("origin")
        if origin is None:
            return True
        if self._stated is not None:
            return origin.lower() == self._stated
        # Which scheme is used cannot be seen from here where somebody else ends TLS; host and port can.
        return urlsplit(origin).netloc.lower() == headers.get("host", "").lower() != ""

    def is_secure(self, scheme: str) -> bool:
        """Whether browsers reach the console by https, so that its cookie need never travel otherwise."""
        return (self._stated or f"{scheme}:").startswith("https:")
