"""The WeCom kind: a group robot's text message, with several of ours in it.

Source: developer.work.weixin.qq.com, "群机器人配置说明" (2,048 bytes of text, 20 messages a minute) and
"全局错误码". The robot says what it thinks in `errcode`, with HTTP 200.
"""

import json

from doorward_server.notify import webhook
from doorward_server.notify.post import Answer
from doorward_server.notify.targets import Target
from doorward_server.notify.verdicts import Outcome, Verdict
from doorward_server.notify.wording import Message

PER_MINUTE: int | None = 20
LONGEST_TEXT = 2048  # bytes of UTF-8

_TOO_OFTEN, _TOO_OFTEN_PAUSE = 45009, 60
_LARGEST_CODE = 10**9  # it stands in an alarm, and a stranger chose it
# About the message itself: its type, its content, its length.
_FINAL = frozenset((40008, 40058, 44004, 45002, 47001))


def gather(messages: list[Message]) -> list[Message]:
    """As many messages as one text holds, at least the first."""
    room = LONGEST_TEXT
    for number, message in enumerate(messages):
        room -= len(message.text.encode()) + 1
        if room < -1 and number > 0:
            return messages[:number]
    return messages


def request(_target: Target, messages: list[Message], _now: int) -> tuple[dict[str, str], bytes]:
    """Headers and body. As plain text, in which nothing that a name holds becomes a link or a mention."""
    lines = "\n".join(message.text for message in messages).encode()
    content = lines[:LONGEST_TEXT].decode(errors="ignore")
    body = {"msgtype": "text", "text": {"content": content}}
    return {"content-type": "application/json"}, json.dumps(body, ensure_ascii=False).encode()


def verdict(target: Target, answer: Answer) -> Verdict:
    """What a robot's answer means."""
    if not 200 <= answer.status < 300:
        return webhook.verdict(target, answer)._replace(outcome=Outcome.LATER)
    try:
        found = json.loads(answer.text)
        code, said = found["errcode"], str(found.get("errmsg", ""))
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        code, said = None, ""
    if not isinstance(code, int) or isinstance(code, bool) or abs(code) > _LARGEST_CODE:
        return Verdict(Outcome.LATER, "garbage", said=target.redacted(answer.text))
    if code == 0:
        return Verdict(Outcome.DELIVERED, number=answer.status, said="errcode 0")
    outcome = Outcome.NEVER if code in _FINAL else Outcome.LATER
    pause = _TOO_OFTEN_PAUSE if code == _TOO_OFTEN else 0
    return Verdict(outcome, "errcode", code, pause, target.redacted(said))
