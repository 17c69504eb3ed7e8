"""An ASGI application that always says the same: what remains is the ceiling of HTTP server and load generator."""

from starlette.types import Receive, Scope, Send

BODY = b'{"data":{"dashboard":null}}'
START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())],
}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        for phase in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{phase}.complete"})
        return
    await receive()
    await send(START)
    await send({"type": "http.response.body", "body": BODY})
