"""An ASGI application, as others write them: run by uvicorn in a process of its own."""

from __future__ import annotations

import asyncio
import hashlib
import json


async def app(scope, receive, send) -> None:
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["type"] == "websocket":
        await _socket(scope, receive, send)
    else:
        await {"/upload": _upload, "/events": _events, "/large": _large}.get(scope["path"], _echo)(scope, receive, send)


async def _lifespan(receive, send) -> None:
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _start(send, content_type: str, status: int = 200) -> None:
    headers = [(b"content-type", content_type.encode()), (b"set-cookie", b"mine=1; Path=/"), (b"set-cookie", b"other=2; Path=/")]
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def _body(receive):
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return
        yield message.get("body", b"")
        if not message.get("more_body"):
            return


async def _echo(scope, receive, send) -> None:
    """What was asked, as JSON."""
    length = 0
    async for part in _body(receive):
        length += len(part)
    told = {
        "method": scope["method"], "path": scope["raw_path"].decode("latin-1"), "query": scope["query_string"].decode("latin-1"),
        "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]], "length": length}
    await _start(send, "application/json")
    await send({"type": "http.response.body", "body": json.dumps(told).encode()})


async def _upload(scope, receive, send) -> None:
    digest, length = hashlib.sha256(), 0
    async for part in _body(receive):
        digest.update(part)
        length += len(part)
    await _start(send, "application/json")
    await send({"type": "http.response.body", "body": json.dumps({"length": length, "sha256": digest.hexdigest()}).encode()})


async def _large(scope, receive, send) -> None:
    """Sixteen MiB in parts, without a length."""
    await _start(send, "application/octet-stream")
    for number in range(256):
        await send({"type": "http.response.body", "body": bytes([number]) * 65536, "more_body": True})
    await send({"type": "http.response.body"})


async def _events(scope, receive, send) -> None:
    """Server-sent events: one each 200 ms, until the client is gone or has asked for so many."""
    count = int(scope["query_string"] or b"1000")
    await _start(send, "text/event-stream")
    for number in range(count):
        await send({"type": "http.response.body", "body": f"id: {number}\ndata: event {number}\n\n".encode(), "more_body": True})
        await asyncio.sleep(0.2)
    await send({"type": "http.response.body"})


async def _socket(scope, receive, send) -> None:
    """Tells who it is for, and then echoes; `close` closes with 4001."""
    await receive()
    headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
    subprotocol = "echo" if "echo" in scope["subprotocols"] else None
    await send({"type": "websocket.accept", "subprotocol": subprotocol})
    await send({"type": "websocket.send", "text": json.dumps({"user": headers.get("x-gatehouse-user"), "path": scope["path"]})})
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        if message.get("text") == "close":
            await send({"type": "websocket.close", "code": 4001, "reason": "asked for"})
            return
        await send({"type": "websocket.send", **{kind: message[kind] for kind in ("text", "bytes") if message.get(kind) is not None}})
