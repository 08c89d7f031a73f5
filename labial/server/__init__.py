"""Room: server. Jobs for many users: a page and REST in front, a store of jobs, workers behind."""

from labial.server.access import add_token, revoke_token, tokens_of
from labial.server.app import create_app
from labial.server.serving import serve
from labial.server.tokens import TokenLimits

__all__ = ["TokenLimits", "add_token", "create_app", "revoke_token", "serve", "tokens_of"]
