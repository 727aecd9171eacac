"""A server of MCP 2025-06-18 and a small HTTP API on Debian's Starlette, uvicorn and h11; argument: port."""

import sys

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TOOL = {
    "name": "add",
    "description": "Adds two numbers",
    "inputSchema": {
        "type": "object",
        "properties": {"a": {"type": "number"}, "b": {"type": "number"}},
        "required": ["a", "b"],
    },
}


def answer(method, params):
    if method == "initialize":
        return {
            "protocolVersion": "2025-06-18",
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "starlette", "version": "1"},
        }
    if method == "tools/list":
        return {"tools": [TOOL]}
    if method == "tools/call":
        total = params["arguments"]["a"] + params["arguments"]["b"]
        return {"content": [{"type": "text", "text": str(total)}]}
    return None


async def mcp(request):
    message = await request.json()
    if "id" not in message:
        return Response(status_code=202)
    envelope = {"jsonrpc": "2.0", "id": message["id"]}
    result = answer(message["method"], message.get("params", {}))
    if result is None:
        return JSONResponse({**envelope, "error": {"code": -32601, "message": "Method not found"}})
    return JSONResponse({**envelope, "result": result})


async def item(request):
    return JSONResponse(
        {
            "id": request.path_params["id"],
            "raw_path": request.scope["raw_path"].decode(),
            "query": request.url.query,
            "host": request.headers["host"],
            "body": (await request.body()).decode(),
        }
    )


routes = [
    Route("/mcp", mcp, methods=["POST"]),
    Route("/items/{id}", item, methods=["GET", "POST"]),
]
uvicorn.run(
    Starlette(routes=routes), host="127.0.0.1", port=int(sys.argv[1]), http="h11", log_level="info"
)
