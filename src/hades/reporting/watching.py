"""A page that follows a run while it goes on, served to this machine alone."""

from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from urllib.parse import urlsplit

from hades.arguments import Watching
from hades.dataset import FILE
from hades.errors import InputError
from hades.files import dumps
from hades.options import held_to
from hades.reporting.page import rendered
from hades.reporting.subject import subject
from hades.runs import METRICS

HOST = "127.0.0.1"
HTML, JSON = "text/html; charset=utf-8", "application/json"


@held_to(Watching)
def server(run: Path, port: int = Watching.port) -> ThreadingHTTPServer:
    """A server of a run's page, ready for ``serve_forever``.

    Args:
        port: on localhost; 0 takes a free one.

    Raises:
        InputError: if the folder is neither a run's nor holds a dataset, or the port is taken.
    """
    subject(run)
    drawing = Lock()  # figures' style is the process's

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # its name is the standard library's
            asked = urlsplit("//" + (self.headers.get("Host") or "")).hostname
            if asked not in (HOST, "localhost"):  # a foreign page's name
                return self._answer(HTTPStatus.FORBIDDEN, "text/plain", "this page is for localhost")
            if self.path not in PLACES:
                return self._answer(HTTPStatus.NOT_FOUND, "text/plain", "there is nothing of that name")
            kind, give = PLACES[self.path]
            try:
                with drawing:
                    text = give(run)
                self._answer(HTTPStatus.OK, kind, text)
            except (InputError, FileNotFoundError) as error:  # it is being written, or was removed
                self._answer(HTTPStatus.SERVICE_UNAVAILABLE, "text/plain", str(error))

        def _answer(self, status: HTTPStatus, kind: str, text: str) -> None:
            data = text.encode()
            with suppress(ConnectionError):  # who asked has gone
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: who watches a run does not want a line a request."""

    try:
        return ThreadingHTTPServer((HOST, port), Handler)
    except OSError as error:
        raise InputError(f"cannot serve on port {port}: {error.strerror}; give another --port") from None


def _page(run: Path) -> str:
    return rendered([subject(run)], live=True)


def _state(run: Path) -> str:
    """What changes while a run goes on, by which its page knows that it is old."""
    files = [path for path in (run / METRICS, run / FILE) if path.exists()]
    return dumps({path.name: [path.stat().st_size, path.stat().st_mtime_ns] for path in files})


PLACES: dict[str, tuple[str, Callable[[Path], str]]] = {"/": (HTML, _page), "/state": (JSON, _state)}
