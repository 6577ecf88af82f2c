"""The ways out that an installation has."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from config import Settings
from facilities.engine.messages import Channel
from facilities.notices.channels.folder import Folder
from facilities.notices.channels.http import Http
from facilities.notices.channels.mail import MailServer
from facilities.notices.channels.message import Way
from facilities.notices.channels.platform import PlatformHook
from facilities.notices.channels.sms import SmsGateway
from facilities.notices.channels.wechat import WechatMessages


def installed(settings: Settings) -> tuple[Channel, ...]:
    """The folder stands in for all of them."""
    if settings.notice_dir:
        return tuple(Channel)
    has = {Channel.SMS: settings.sms, Channel.EMAIL: settings.mail, Channel.WECHAT: settings.wechat,
           Channel.PLATFORM: settings.platform}
    return tuple(channel for channel, found in has.items() if found)


@contextmanager
def opened(settings: Settings) -> Iterator[Mapping[Channel, Way]]:
    """For one round of messages: connections are closed after it."""
    with ExitStack() as stack:
        ways = {channel: _way(channel, settings) for channel in installed(settings)}
        for way in ways.values():
            if isinstance(way, Http):
                stack.callback(way.close)
        yield ways


def _way(channel: Channel, settings: Settings) -> Way:
    if settings.notice_dir:
        return Folder(settings.notice_dir)
    if channel is Channel.SMS and settings.sms:
        return SmsGateway(settings.sms)
    if channel is Channel.EMAIL and settings.mail:
        return MailServer(settings.mail)
    if channel is Channel.WECHAT and settings.wechat:
        return WechatMessages(settings.wechat)
    if channel is Channel.PLATFORM and settings.platform:
        return PlatformHook(settings.platform)
    raise AssertionError(f"{channel} is not installed")
