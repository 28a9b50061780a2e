"""Who may ask, and what may run in the answer.

Only this machine, by the name it was asked under, from this page, with the token; and only to read. A browser that opens the
address with the token is given a cookie and sent on to the address without it, so that the token stays in no history and goes
nowhere as a referrer.
"""

from __future__ import annotations

from hmac import compare_digest
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


class Guard:
    """Lets through what this machine's own browser asks with the token, and puts the headers on every answer.

    Attributes:
        token: what the address shows; `pass_`: what the cookie holds instead.
        port: where the server listens; hosts: the names it answers to.
    """

    def __init__(self, app: ASGIApp, *, token: str, pass_: str, port: int) -> None:
        self.app, self.token, self.pass_, self.port = app, token, pass_, port
        self.hosts = tuple(f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]"))
        self.cookie = f"society-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # there is no websocket here
            await send({"type": "websocket.close", "code": 1008})
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        refused = self.refusal(Request(scope))
        await (refused or self.app)(scope, receive, with_headers)

    def refusal(self, request: Request) -> Response | None:
        """The answer to a request that may not pass; None for one that may."""
        headers = Headers(scope=request.scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1:
            return PlainTextResponse("one Host, please", 400)
        if hosts[0].lower() not in self.hosts:
            return PlainTextResponse("this page is for this machine alone", 421)
        if request.method not in ("GET", "HEAD"):
            return PlainTextResponse("there is nothing to write here", 405, {"Allow": "GET, HEAD"})
        origin = headers.get("origin")
        if origin is not None and origin.lower() not in {f"http://{host}" for host in self.hosts}:
            return PlainTextResponse("asked from another page", 403)
        site = headers.get("sec-fetch-site", "none")
        if site not in ("none", "same-origin") and headers.get("sec-fetch-mode") != "navigate":
            return PlainTextResponse("asked from another page", 403)
        return self._without_token(request)

    def _without_token(self, request: Request) -> Response | None:
        try:
            asked = parse_qsl(request.url.query, keep_blank_values=True, max_num_fields=50)
        except ValueError:
            return PlainTextResponse("too many parameters", 400)
        given = [value for name, value in asked if name == "token"]
        if given:
            if not compare_digest(given[0].encode("utf-8", "replace"), self.token.encode()):
                return _refused()
            rest = urlencode([pair for pair in asked if pair[0] != "token"])
            path = "/" + request.url.path.lstrip("/")
            answer = RedirectResponse(f"{path}?{rest}" if rest else path, 303)
            answer.set_cookie(self.cookie, self.pass_, httponly=True, samesite="strict", path="/")
            return answer
        held = request.cookies.get(self.cookie, "")
        return None if compare_digest(held.encode("utf-8", "replace"), self.pass_.encode()) else _refused()


def _refused() -> Response:
    return PlainTextResponse(
        "This page needs its token: open the address that `society view` printed, or start `society view` again.\n", 403
    )
