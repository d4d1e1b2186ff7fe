"""A stand-in for the Hugging Face hub: what its client asks for to put files into a repository, and to get them.

Each commit is kept, under its name and as ``main``. Who may write says the token; ``gated`` names repositories that
nobody may read.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN, READER = "hf_writes", "hf_reads"


@dataclass
class Repository:
    """Its commits, by name: files by theirs."""

    private: bool = False
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)

    def commit(self, files: Mapping[str, bytes], message: str = "") -> str:
        """One more: what was there, and these files."""
        name = hashlib.sha1(f"{len(self.commits)}".encode()).hexdigest()
        self.commits[name] = self.commits["main"] = {**self.commits.get("main", {}), **files}
        self.messages.append(message)
        return name


class Hub(ThreadingHTTPServer):
    """Served on a free port of this machine."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repositories: dict[str, Repository] = {}
        self.gated: set[str] = set()

    @property
    def url(self) -> str:
        """Of what is to be taken for the hub."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Hub  # type: ignore[assignment]

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""

    @property
    def token(self) -> str:
        """Whose request it is."""
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def answer(self, code: int, data: Any = None, **headers: str) -> None:
        """A response: bytes as they are, anything else as JSON."""
        body = data if isinstance(data, bytes) else json.dumps(data or {}).encode()
        self.send_response(code)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def repository(self, name: str) -> Repository | None:
        """One that this request may see; else it is answered that there is none."""
        found = self.server.repositories.get(name)
        if found is None or (found.private and self.token != TOKEN):
            self.answer(404 if self.token else 401, X_Error_Code="RepoNotFound")
            return None
        return found

    def files(self, found: Repository, revision: str) -> dict[str, bytes] | None:
        """Those of a commit, if there is such."""
        files = found.commits.get(revision.replace("%2F", "/"))
        if files is None:
            self.answer(404, X_Error_Code="RevisionNotFound")
        return files

    def do_GET(self) -> None:
        """What a repository is, and its files."""
        if match := re.fullmatch(r"/api/datasets/([^/]+/[^/]+)(?:/revision/(.+))?", self.path):
            found = self.repository(match[1])
            if found and self.files(found, match[2] or "main") is not None:
                self.answer(200, {"id": match[1], "private": found.private})
        elif match := re.fullmatch(r"/datasets/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", self.path):
            self.file(*match.groups())
        else:
            self.answer(500)

    do_HEAD = do_GET

    def file(self, name: str, revision: str, path: str) -> None:
        """One of a repository's."""
        if name in self.server.gated:
            self.answer(403, X_Error_Code="GatedRepo")
            return
        found = self.repository(name)
        files = found and self.files(found, revision)
        if found is None or files is None:
            return
        commit = next(known for known, held in found.commits.items() if held is files and known != "main")
        if path not in files:
            self.answer(404, X_Error_Code="EntryNotFound", X_Repo_Commit=commit)
            return
        self.answer(200, files[path], ETag=f'"{hashlib.sha1(files[path]).hexdigest()}"', X_Repo_Commit=commit)

    def do_POST(self) -> None:
        """A new repository, and what a commit takes."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/api/validate-yaml":
            self.answer(200, {"errors": [], "warnings": []})
        elif self.token not in (TOKEN, READER):
            self.answer(401, {"error": "Invalid username or password."})
        elif self.token == READER:
            self.answer(403, {"error": "You don't have the rights"})
        elif self.path == "/api/repos/create":
            self.create(json.loads(body))
        elif match := re.fullmatch(r"/api/datasets/([^/]+/[^/]+)/(preupload|commit)/main", self.path):
            {"preupload": self.preupload, "commit": self.commit}[match[2]](match[1], body)
        else:
            self.answer(500)

    def create(self, asked: dict[str, Any]) -> None:
        """A repository, if there is none."""
        name = f"{asked['organization']}/{asked['name']}"
        url = f"{self.server.url}/datasets/{name}"
        if asked["type"] != "dataset" or name in self.server.repositories:
            self.answer(409, {"error": "You already created this dataset repo", "url": url})
            return
        private = asked.get("private", False) or asked.get("visibility") == "private"
        self.server.repositories[name] = Repository(private)
        self.server.repositories[name].commit({".gitattributes": b""}, "initial commit")
        self.answer(200, {"url": url})

    def preupload(self, name: str, body: bytes) -> None:
        """All files come with the commit itself."""
        del name
        paths = [file["path"] for file in json.loads(body)["files"]]
        self.answer(200, {"files": [{"path": p, "uploadMode": "regular", "shouldIgnore": False} for p in paths]})

    def commit(self, name: str, body: bytes) -> None:
        """Lines of JSON: a header, then files."""
        lines = [json.loads(line) for line in body.splitlines()]
        values = [line["value"] for line in lines if line["key"] == "file"]
        files = {value["path"]: base64.b64decode(value["content"]) for value in values}
        made = self.server.repositories[name].commit(files, lines[0]["value"]["summary"])
        self.answer(200, {"commitUrl": f"{self.server.url}/datasets/{name}/commit/{made}", "commitOid": made})
