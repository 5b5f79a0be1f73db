"""authgent-server (PyPI) on 127.0.0.1, any free port, over http: metadata, `iss`, JWT access tokens, a redirect that is
compared byte for byte, and a consent page.

  REDIRECT_URI=... python authgent-provider.py     one line of JSON on stdout when ready; ends when stdin closes

Its issuer is what its settings say, so they name the port. GET /resource takes a token; POST /__end ends all grants, as
an administrator would. The package revokes no refresh token (its /revoke reads JWTs only).
"""

import asyncio
import json
import os
import socket
import sys
import tempfile
import traceback

directory = tempfile.TemporaryDirectory(prefix="loopin-kit-")
server_socket = socket.create_server(("127.0.0.1", 0))
issuer = f"http://127.0.0.1:{server_socket.getsockname()[1]}"
redirect_uri = os.environ["REDIRECT_URI"]
os.chdir(directory.name)  # it reads .env where it starts
os.environ.update(
    AUTHGENT_CONSENT_MODE="ui",
    AUTHGENT_DATABASE_URL=f"sqlite+aiosqlite:///{directory.name}/authgent.db",
    AUTHGENT_SECRET_KEY="practice" * 8,
    AUTHGENT_SERVER_URL=issuer,
)

import httpx  # noqa: E402
import uvicorn  # noqa: E402
from authgent_server.app import create_app  # noqa: E402
from authgent_server.dependencies import get_db_session, get_token_service  # noqa: E402
from authgent_server.models.refresh_token import RefreshToken  # noqa: E402
from fastapi import Depends, Response  # noqa: E402
from fastapi.security import HTTPBearer  # noqa: E402
from sqlalchemy import delete  # noqa: E402

app = create_app()


@app.get("/resource")
async def resource(
    bearer=Depends(HTTPBearer()), db=Depends(get_db_session), tokens=Depends(get_token_service)
) -> Response:
    try:
        await tokens.verify_and_check_blocklist(db, bearer.credentials)
    except Exception:
        return Response(status_code=401)
    return Response(status_code=200)


@app.post("/__end")
async def end(db=Depends(get_db_session)) -> Response:
    await db.execute(delete(RefreshToken))
    await db.commit()
    return Response(status_code=204)


async def register(name: str, method: str) -> dict:
    asked = {
        "client_name": name,
        "grant_types": ["authorization_code", "refresh_token"],
        "redirect_uris": [redirect_uri],
        "scope": "read write",
        "token_endpoint_auth_method": method,
    }
    # It hashes a secret at each registration, which takes as long as the machine is busy.
    async with httpx.AsyncClient(timeout=None) as http:
        reply = await http.post(f"{issuer}/register", json=asked)
    reply.raise_for_status()
    return reply.json()


async def main() -> None:
    server = uvicorn.Server(uvicorn.Config(app, log_config=None))
    serving = asyncio.create_task(server.serve(sockets=[server_socket]))
    while not server.started:
        if serving.done():
            raise RuntimeError("it does not start")
        await asyncio.sleep(0.01)
    public, confidential = await register("public", "none"), await register("confidential", "client_secret_basic")
    facts = {
        "issuer": issuer,
        "resource_endpoint": f"{issuer}/resource",
        "public": public["client_id"],
        "confidential": confidential["client_id"],
        "secrets": {confidential["client_id"]: confidential["client_secret"]},
    }
    print(json.dumps(facts), file=told, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.should_exit = True
    await serving


# Its log goes to standard output, where it has no reader.
told = os.fdopen(os.dup(1), "w")
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
try:
    asyncio.run(main())
except Exception:
    traceback.print_exc()
    os._exit(1)  # the server would wait for its connections
