"""What the centre's page speaks, as WAV: events and alarms by their keys, and a test sentence (S15).

The page never sends text to be spoken: names are put in here, and stay on this machine.
"""

from functools import lru_cache
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response

from doorward_server.alarms import service as alarms
from doorward_server.alarms.rules import title
from doorward_server.database import SessionDependency
from doorward_server.handovers.announce import site_name, spoken_sentence
from doorward_server.handovers.models import HandoverEvent
from doorward_server.problems import Problem, not_found, problem_responses
from doorward_server.security.dependencies import check_site, needs
from doorward_server.security.models import User
from doorward_server.security.roles import Permission
from doorward_server.speech.engine import ENGINE, SpeechError
from doorward_server.speech.samples import wav
from doorward_server.speech.texts import sentence

router = APIRouter(prefix="/api/speech", tags=["speech"], responses=problem_responses(401, 403, 404))

Language = Annotated[Literal["zh", "en"], Query()]
AtSite = Annotated[User, needs(Permission.SEE_SITE)]
WAV: dict[int | str, dict[str, Any]] = {200: {"content": {"audio/wav": {}}}}


@lru_cache(maxsize=64)
def _spoken(text: str, language: str) -> bytes:
    """In memory alone: sentences name people. An exception is not remembered."""
    return wav(ENGINE.synthesize(text, language))


def _answer(text: str, language: str) -> Response:
    try:
        data = _spoken(text, language)
    except SpeechError as problem:
        raise Problem(
            503, "no_speech", "语音引擎不可用。", "The speech engine does not work.", str(problem)
        ) from problem
    return Response(data, media_type="audio/wav", headers={"cache-control": "private, max-age=3600"})


@router.get("/events/{event_id}", response_class=Response, responses=WAV)
def speak_event(
    session: SessionDependency,
    user: AtSite,
    event_id: Annotated[int, Path(ge=1, le=2**53)],
    language: Language = "zh",
) -> Response:
    """The sentence for a handover's record; 404 for records that are not spoken."""
    event = session.get(HandoverEvent, event_id)
    text = None
    if event is not None:
        check_site(user, event.site_id)
        text = spoken_sentence(session, event, language)
    if text is None:
        raise not_found("语音", "sentence")
    return _answer(text, language)


@router.get("/alarms/{key}", response_class=Response, responses=WAV)
def speak_alarm(session: SessionDependency, user: AtSite, key: str, language: Language = "zh") -> Response:
    """The sentence for an alarm."""
    alarm = alarms.get(session, user, key)
    site = site_name(session, alarm.site_id, language)
    return _answer(sentence("alarm", language, site=site, title=title(alarm.rule, language)), language)


@router.get("/test", response_class=Response, responses=WAV)
def speak_test(_user: Annotated[User, needs(Permission.SELF)], language: Language = "zh") -> Response:
    """A short sentence that tells whether the page may sound."""
    return _answer(sentence("test", language), language)
