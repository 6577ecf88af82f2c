"""The base of the JSON API: blueprints that describe themselves, one error format, bearer tokens."""

from typing import Any

from flask import Flask, Request, abort
from flask_smorest import Api, Blueprint
from marshmallow import Schema
from webargs.flaskparser import FlaskParser

from facilities.web.guards import API_PREFIX
from facilities.web.schemas import Problem


class HuiminApi(Api):
    """flask-smorest without its own error answers: `web.problems` answers for pages and API alike."""

    ERROR_SCHEMA = Problem

    def _register_error_handlers(self) -> None:
        pass


class BodyParser(FlaskParser):
    """webargs' parser, which also minds what its JSON library cannot read and bodies that are not declared JSON."""

    def load_json(self, req: Request, schema: Schema) -> Any:  # noqa: ANN401 - whatever JSON holds
        if req.content_length and not req.is_json:
            abort(415)
        try:
            return super().load_json(req, schema)
        except (RecursionError, ValueError):  # nested a hundred thousand times; a number of thousands of digits
            abort(400)


class ApiBlueprint(Blueprint):
    """A part of the API under one prefix."""

    ARGUMENTS_PARSER = BodyParser()

    def __init__(self, name: str, import_name: str, **kwargs: Any) -> None:  # noqa: ANN401 - Flask's own
        super().__init__(f"{name}_api", import_name, url_prefix=API_PREFIX, **kwargs)

    def arguments(self, schema: type[Schema], **kwargs: Any) -> Any:  # noqa: ANN401 - flask-smorest's own
        """One instance for all requests: a class would be made into one, with copies of its fields, each time."""
        return super().arguments(schema(), **kwargs)


def register_api(app: Flask, *blueprints: ApiBlueprint) -> None:
    app.config.update(
        API_TITLE="Huimin", API_VERSION="v1", OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX=API_PREFIX, OPENAPI_JSON_PATH="openapi.json",
    )
    api = HuiminApi(app, spec_kwargs={"security": [{"bearer": []}]})
    api.spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    for blueprint in blueprints:
        api.register_blueprint(blueprint)
    _mark_public_paths(app, api)


def _mark_public_paths(app: Flask, api: Api) -> None:
    """`security: []` where a view says @public, read off the guards themselves."""
    paths = api.spec._paths  # noqa: SLF001 - apispec has no other way to amend what it collected
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if getattr(view, "__guard__", None) != "public":
            continue
        path = paths.get(_openapi_path(rule.rule))
        for method in rule.methods or ():
            if path and method.lower() in path:
                path[method.lower()]["security"] = []


def _openapi_path(rule: str) -> str:
    """`/residents/<id>` → `/residents/{id}`; converters are left out."""
    parts = []
    for part in rule.split("<"):
        head, sep, tail = part.partition(">")
        parts.append("{" + head.rpartition(":")[2] + "}" + tail if sep else part)
    return "".join(parts)
