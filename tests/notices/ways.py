"""A way out of the app that keeps what it gets, and rounds of the work that sends."""

from facilities.engine.messages import Channel
from facilities.infra.db import unit_of_work
from facilities.notices.channels.message import Message, Outcome, Undelivered, Way
from facilities.notices.delivery import deliver, dispatch


class Kept:
    """Fails as often as it is told to; `outcome` is what it says of the others."""

    def __init__(self, *failures: Undelivered | None, outcome: Outcome = Outcome.DELIVERED) -> None:
        self.failures, self.outcome, self.sent = list(failures), outcome, list[Message]()

    def send(self, message: Message) -> Outcome:
        failure = self.failures.pop(0) if self.failures else None
        if failure:
            raise failure
        self.sent.append(message)
        return self.outcome

    @property
    def kinds(self) -> list[str]:
        return [message.template for message in self.sent]


def out(way: Way, channel: Channel = Channel.SMS, installed: tuple[Channel, ...] | None = None) -> tuple[int, int]:
    """As the worker does: plan the ways of what was written, send what is due on one of them."""
    while unit_of_work(lambda: dispatch(installed or (channel,))):
        pass
    return deliver(channel, way)
