"""What a page asks of the browser that others have no use for."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import g
from flask.typing import ResponseReturnValue

View = TypeVar("View", bound=Callable[..., Any])


def needs_camera(view: View) -> View:
    """The page scans codes; every other page is forbidden to look (web.edge)."""

    @wraps(view)
    def with_camera(*args: Any, **kwargs: Any) -> ResponseReturnValue:  # noqa: ANN401 - passes on what it gets
        g.needs_camera = True
        return cast(ResponseReturnValue, view(*args, **kwargs))

    return cast(View, with_camera)
