"""What attackers of a server share: who they are, and how they give files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
from live_server import Live

SECRET = "what must not be read: 7fb4c1"


@dataclass
class Shared:
    """A server that asks for tokens, and some people who have one."""

    live: Live
    secrets: dict[str, str]

    def as_(self, who: str) -> httpx.Client:
        """A client with somebody's token."""
        headers = {"Authorization": f"Bearer {self.secrets[who]}"} if who else {}
        return httpx.Client(base_url=self.live.url, headers=headers, timeout=60, trust_env=False)


def put(client: httpx.Client, data: bytes | str, name: str = "file") -> dict[str, Any]:
    """Upload a file; what became of it."""
    answer = client.put("v1/uploads", params={"name": name}, content=data)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told
