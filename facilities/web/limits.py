"""Limits per source address; limits per account are rows in the database."""

from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

limiter = Limiter(get_remote_address, default_limits=[], strategy="fixed-window", headers_enabled=False)
