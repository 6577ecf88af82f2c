"""Templates are compiled once a run, for all its processes and apps, and not once for each."""

from flask import Flask
from jinja2 import FileSystemBytecodeCache


def keep_compiled() -> None:
    """What is kept lies in the folder for temporary files, by the checksum of its source."""
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": FileSystemBytecodeCache()}
