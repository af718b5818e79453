"""The JSON kind: one message a request, signed as the Standard Webhooks say (standardwebhooks.com).

`webhook-id` is the same whenever a message is sent again. `webhook-signature` is "v1," and, in base64, the
HMAC-SHA-256 of "ID.TIMESTAMP.BODY": the receiver knows who sent it, and by the timestamp that it is fresh.
"""

import base64
import hashlib
import hmac
import json

from doorward_server.notify.post import Answer
from doorward_server.notify.targets import Target
from doorward_server.notify.verdicts import Outcome, Verdict
from doorward_server.notify.wording import Message, iso

PER_MINUTE: int | None = None

# What is about the receiver, not about the message: once it is mended there, the message can arrive.
_HEALS = frozenset((401, 403, 404, 407, 408, 421, 423, 425, 429))


def gather(messages: list[Message]) -> list[Message]:
    """The messages of the next request."""
    return messages[:1]


def request(target: Target, messages: list[Message], now: int) -> tuple[dict[str, str], bytes]:
    """Headers and body; `now` in ms since 1970 UTC."""
    (message,) = messages
    content = {
        "id": message.id,
        "type": message.type,
        "timestamp": iso(message.time),
        "data": {"text": message.text, **message.data},
    }
    body = json.dumps(content, ensure_ascii=False).encode()
    timestamp = str(now // 1000)
    signed = b".".join((message.id.encode(), timestamp.encode(), body))
    signature = base64.b64encode(hmac.digest(target.signing_key, signed, hashlib.sha256)).decode()
    headers = {
        "content-type": "application/json",
        "webhook-id": message.id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature}",
    }
    return headers, body


def verdict(target: Target, answer: Answer) -> Verdict:
    """What a receiver's answer means."""
    status, said = answer.status, target.redacted(answer.text)
    if 200 <= status < 300:
        return Verdict(Outcome.DELIVERED, number=status, said=said)
    if 300 <= status < 400:
        return Verdict(Outcome.LATER, "redirect", status)
    final = 400 <= status < 500 and status not in _HEALS
    outcome = Outcome.NEVER if final else Outcome.LATER
    return Verdict(outcome, "status", status, answer.retry_after, said)
