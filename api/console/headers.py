"""What every answer of the console tells the browser to keep from doing."""

import secrets

from nicegui import client as pages_made
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import Message, Scope, Send

NONCE = "console_nonce"
FOR_EVER = "public, max-age=31536000, immutable"
POLICY = {
    "default-src": "'self'",
    # Only scripts with the nonce of their page run, and those that the library brings in files: no handler in an
    # attribute and no script in a text does. 'unsafe-eval' must be: the library's Vue compiles the templates of its
    # elements in the browser, and the library itself evaluates the handlers that the server names.
    "script-src": "'self' 'nonce-{nonce}' 'unsafe-eval'",
    # Elements, charts and the bars of our own pages have style attributes, for which there are no nonces.
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data:",
    "font-src": "'self' data:",
    "connect-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: browsers would then send forms with the Origin null, as another site's are.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def give_nonce(scope: Scope) -> str:
    """Gives a request the nonce that the scripts of its page have."""
    nonce = secrets.token_urlsafe(18)
    scope.setdefault("state", {})[NONCE] = nonce
    return nonce


def nonce_of(request: HTTPConnection) -> str:
    nonce = getattr(request.state, NONCE)
    assert isinstance(nonce, str)
    return nonce


def with_headers(send: Send, nonce: str, *, is_asset: bool) -> Send:
    """Sends an answer with them; the library's own files, whose paths have its version, are kept by the browser."""
    policy = "; ".join(f"{name} {value}" for name, value in POLICY.items()).format(nonce=nonce)

    async def send_with(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.update(ALWAYS)
            # A statement to print has a stricter one of its own.
            headers.setdefault("Content-Security-Policy", policy)
            headers["Cache-Control"] = FOR_EVER if is_asset and message["status"] < 300 else "no-store"
        await send(message)

    return send_with


def give_nonces_to_pages() -> None:
    """Has the library's template name the nonce of the request in each of its scripts; it has no setting for it."""
    template = pages_made.templates.env
    assert template.loader is not None
    source, _, _ = template.loader.get_source(template, "index.html")
    noncing = source.replace("<script", f'<script nonce="{{{{ request.state.{NONCE} }}}}"')
    from jinja2 import ChoiceLoader, DictLoader

    template.loader = ChoiceLoader([DictLoader({"index.html": noncing}), template.loader])
