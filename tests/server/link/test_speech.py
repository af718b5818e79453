"""Speech: audible in both languages, the same bytes each time, cached only when it worked."""

import io
import math
import subprocess
import sys
import wave
from array import array
from itertools import pairwise

import pytest
from doorward_protocol import errors
from doorward_protocol.prompts import PROMPTS as NUMBERS
from doorward_server.handovers.models import HandoverEvent
from doorward_server.security.roles import Role
from doorward_server.speech import gtts_prompts, samples, texts
from doorward_server.speech.engine import ENGINE, Engine, SpeechError
from doorward_server.speech.pack import build_pack, pack_source, recording_path
from doorward_server.speech.samples import RATE, resample, trim
from doorward_server.speech.store import SpeechStore
from sqlmodel import col, select


def loudness(pcm: bytes) -> float:
    """Root mean square of PCM16 samples."""
    values = array("h", pcm)
    return math.sqrt(sum(value * value for value in values) / len(values))


@pytest.mark.parametrize(
    ("text", "language", "least", "most"),
    [
        ("营业专员王芳认证成功", "zh", 1.2, 4),
        ("欧阳建国", "zh", 0.4, 2),
        ("The crew is complete. Please wait.", "en", 1.0, 4),
        ("Li Qiang", "en", 0.3, 2),
    ],
)
def test_a_text_is_audible(text, language, least, most):
    pcm = ENGINE.synthesize(text, language)
    assert least < len(pcm) / 2 / RATE < most
    assert loudness(pcm) > 1500
    assert max(map(abs, array("h", pcm))) == samples.PEAK
    edges = array("h", pcm)
    assert max(map(abs, edges[:5])) < 3000  # begins and ends without a click
    assert max(map(abs, edges[-5:])) < 3000


def test_the_same_text_gives_the_same_bytes_whatever_was_spoken_before():
    script = "import sys; from doorward_server.speech.engine import ENGINE as e;" \
        "[e.synthesize(t, 'en') for t in sys.argv[2:]];" \
        "import hashlib; print(hashlib.sha256(e.synthesize(sys.argv[1], 'zh')).hexdigest())"  # fmt: skip
    digests = {
        subprocess.run(
            [sys.executable, "-c", script, "司思思", *before], capture_output=True, check=True
        ).stdout
        for before in ([], ["Sassy Smith"], ["one", "two"])
    }
    assert len(digests) == 1


@pytest.mark.parametrize(("text", "language"), [("", "zh"), ("   ", "en"), ("hello", "fr")])
def test_what_cannot_be_spoken_is_an_error(text, language):
    with pytest.raises(SpeechError):
        ENGINE.synthesize(text, language)


class CountingEngine(Engine):
    def __init__(self, *answers):
        super().__init__()
        self.answers = list(answers)

    def synthesize(self, text, language):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_a_clip_is_made_once_and_a_failure_is_not_kept(tmp_path):
    store = SpeechStore(tmp_path, CountingEngine(SpeechError("broken"), b"\x01\x00\x02\x00"))
    with pytest.raises(SpeechError):
        store.clip("你好", "zh")
    assert list(tmp_path.iterdir()) == []
    assert store.clip("你好", "zh") == b"\x01\x00\x02\x00"
    assert store.clip("你好", "zh") == b"\x01\x00\x02\x00"  # the engine would have nothing more to give


def test_an_empty_or_torn_file_in_the_cache_is_made_again(tmp_path):
    store = SpeechStore(tmp_path, CountingEngine(b"\x01\x00", b"\x02\x00", b"\x03\x00"))
    store.clip("x", "en")
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(b"")
    assert store.clip("x", "en") == b"\x02\x00"
    kept.write_bytes(b"\x01")
    assert store.clip("x", "en") == b"\x03\x00"


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path):
    (tmp_path / "file").write_text("")
    store = SpeechStore(tmp_path / "file" / "clips", CountingEngine(b"\x01\x00"))
    assert store.clip("x", "en") == b"\x01\x00"


def test_resampling_keeps_a_tone_and_its_length():
    rate = 22_050
    tone = array("h", (round(10_000 * math.sin(2 * math.pi * 440 * n / rate)) for n in range(rate)))
    out = resample(tone, rate, RATE)
    assert abs(len(out) - RATE) <= 1
    crossings = sum(1 for one, two in pairwise(out) if one < 0 <= two)
    assert abs(crossings - 440) <= 1
    assert abs(loudness(out.tobytes()) - loudness(tone.tobytes())) < 100


def test_resampling_removes_what_the_lower_rate_cannot_carry():
    rate = 22_050
    tone = array("h", (round(10_000 * math.sin(2 * math.pi * 10_500 * n / rate)) for n in range(rate // 4)))
    assert loudness(resample(tone, rate, RATE).tobytes()) < 0.2 * loudness(tone.tobytes())


def test_silence_is_trimmed_and_silence_alone_is_nothing():
    assert trim(array("h", [0] * 1000)) == array("h")
    spoken = array("h", [0] * 5000 + [9000] * 100 + [0] * 5000)
    assert 100 <= len(trim(spoken)) <= 100 + 2 * samples.KEPT


@pytest.mark.shows("S14")
def test_every_prompt_has_its_texts_and_no_text_is_left_over():
    assert set(texts.PROMPTS) == set(NUMBERS.values())
    for prompt in texts.PROMPTS.values():
        assert prompt.title_en.isascii()
        assert prompt.say_en.isascii()
        assert not prompt.title_zh.isascii()
        assert not prompt.say_zh.isascii()


@pytest.mark.shows("D11")
def test_no_prompt_speaks_of_money():
    for prompt in texts.PROMPTS.values():
        assert not any(character.isdigit() for character in "".join(prompt[2:]))  # D11: no amounts


def test_a_plate_is_spelt():
    assert texts.spell("京A·10234", "zh") == "京 A 一 零 二 三 四"
    assert texts.spell("京A·10234", "en") == "京 A 1 0 2 3 4"


def test_a_pack_is_small_audible_and_the_same_again(tmp_path):
    numbers = {number: NUMBERS[number] for number in (2, 27)}
    store = SpeechStore(tmp_path / "clips")
    pack = build_pack(tmp_path, store, "zh", numbers)
    assert [prompt.number for prompt in pack] == [2, 27]
    for prompt in pack:
        assert loudness(prompt.clip) > 1500
        assert len(prompt.clip) < 3 * RATE * 2
        assert len(prompt.picture) == 4 + 2 * 240 * 240
    assert build_pack(tmp_path, store, "zh", numbers) == pack
    assert build_pack(tmp_path, store, "en", numbers) != pack


def test_a_recording_takes_the_engines_place(tmp_path):
    numbers = {2: NUMBERS[2]}
    store = SpeechStore(tmp_path / "clips")
    before = pack_source(tmp_path, "zh", numbers)
    path = recording_path(tmp_path, NUMBERS[2], "zh")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")  # what gTTS leaves behind when it is offline
    assert build_pack(tmp_path, store, "zh", numbers)[0].clip != b""
    assert pack_source(tmp_path, "zh", numbers) == before
    path.write_bytes(b"\x07\x00" * 100)
    assert build_pack(tmp_path, store, "zh", numbers)[0].clip == b"\x07\x00" * 100
    assert pack_source(tmp_path, "zh", numbers) != before


@pytest.mark.parametrize("answer", [b"", b"<html>sorry</html>", OSError("no network")])
def test_gtts_offline_leaves_nothing_behind(tmp_path, answer):
    def fetch(text, language):
        if isinstance(answer, Exception):
            raise answer
        return answer

    with pytest.raises(SpeechError, match="gTTS"):
        gtts_prompts.record(tmp_path, "goodbye", "zh", fetch)
    assert list(tmp_path.rglob("*.pcm")) == []


def spoken(browser, path: str) -> wave.Wave_read:
    answer = browser.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "audio/wav"
    return wave.open(io.BytesIO(answer.content))


@pytest.mark.shows("S15")
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_centre_hears_arrivals_officers_and_alarms(online, delivery, day, services, log_in, language):
    van = day.bank.vehicles[0]
    delivery.arrive(van.id, van.epc, van.tid)
    delivery.finger(delivery.crew[0], picture=bytes(32))
    delivery.close()
    online.say("vehicle_refused", task=delivery.task, epc=van.epc, tid=van.tid, reason=errors.TASK_COMPLETED)
    online.store_all()
    duty = log_in(day.bank.users[Role.DUTY])
    with services.database.reading() as session:
        events = session.exec(select(HandoverEvent).order_by(col(HandoverEvent.id))).all()
    heard = {}
    for event in events:
        path = f"/api/speech/events/{event.id}?language={language}"
        if duty.get(path).status_code != 404:
            heard[(event.name, event.details.get("panel"))] = spoken(duty, path).getnframes() / RATE
    # Escorts at the outer panel and the crew's closing finger are not spoken, the officer's is (S3).
    assert set(heard) == {("vehicle", None), ("finger", 2), ("closed", None)}
    assert all(seconds > 0.8 for seconds in heard.values())
    key = duty.get("/api/alarms").json()[0]["key"]
    assert spoken(duty, f"/api/speech/alarms/{key}?language={language}").getframerate() == RATE
    assert spoken(duty, f"/api/speech/test?language={language}").getnframes() > RATE / 2
    keeper = log_in(day.bank.users[Role.KEEPER])
    assert keeper.get(f"/api/speech/events/{events[0].id}").status_code == 404
