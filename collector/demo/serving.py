"""HTTP on 127.0.0.1, as the stand-ins that are WSGI applications speak it."""

from __future__ import annotations

from threading import Thread
from typing import Any
from urllib.parse import parse_qsl

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wrappers import Response

GARBAGE = "<html><body>Please sign in to the network</body></html>"
"""What a network says that wants to be signed in to, whoever was asked."""


class Web:
    """An application that answers at `url` until it is closed; on any free port if none is given."""

    def __init__(self, application: Any, port: int = 0) -> None:
        self._server = ThreadedWSGIServer("127.0.0.1", port, application, handler=_Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(WSGIRequestHandler):
    """HTTP/1.1 with the answer's own date, without delay, and silent."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def send_response(self, code: int, message: str | None = None) -> None:
        self.send_response_only(code, message)

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        pass


def target(environ: Any) -> tuple[str, dict[str, str]]:
    """The path of a request as it came, still quoted, and its query."""
    path, _, query = str(environ.get("RAW_URI") or environ["REQUEST_URI"]).partition("?")
    return path, dict(parse_qsl(query))


def cut(response: Response) -> Response:
    """The same answer, of which the connection brings only half."""
    whole = response.get_data()
    response.set_data(whole[: len(whole) // 2])
    response.headers["Content-Length"] = str(len(whole))
    return response
