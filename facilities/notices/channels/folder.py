"""HUIMIN_NOTICE_DIR: one JSON file for each message, written whole or not at all; a repeat writes the same file."""

import json
from pathlib import Path

from facilities.notices.channels.message import Message, Outcome, Undelivered

FIELDS = ("recipient", "channel", "template", "text", "reference", "about")


class Folder:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, message: Message) -> Outcome:
        target = self.folder / f"{message.reference}.json"
        part = target.with_suffix(".part")
        said = {name: getattr(message, name) for name in FIELDS}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")
            part.replace(target)
        except OSError as error:
            raise Undelivered("folder") from error
        return Outcome.DELIVERED
