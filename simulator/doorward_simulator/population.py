"""How well the emulated fingerprint module tells people apart: enrolment, genuine and impostor comparisons.

As ISO/IEC 19795-1 describes a technology evaluation: everybody enrols one finger at a desk (three tries),
then touches the sensor again several times. A *genuine* comparison holds a fresh touch against the
toucher's own template; an *impostor* comparison holds the first usable touch of each person against the
template of everybody else. Templates and touches come out of the emulated module by its own packets, and
are compared by the matcher that the module's Search uses. A touch from which the module cannot take features
counts as rejected at every threshold, as it would at the door.

Each person has randomness of their own, so results do not depend on how the work is shared out.
"""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field

from .devices.ef01_profiles import R503, Profile
from .enrolment import EnrolmentDesk
from .finger_matcher import Features, compare
from .finger_templates import decode
from .fingers import make_finger

RIGHT_INDEX = 2  # everybody's: fingers of one kind resemble each other most
REJECTED = -1  # in place of a score: the module took no features from the touch
CHUNK = 16  # people per piece of work

Progress = Callable[[str, int, int], None]  # what is being done, how much of it is done, how much there is


@dataclass
class Study:
    """What was counted: scores of comparisons, and who could be enrolled."""

    people: int
    enrolled: int = 0
    genuine: Counter[int] = field(default_factory=Counter)  # score: comparisons
    impostor: Counter[int] = field(default_factory=Counter)

    def false_rejects(self, threshold: int) -> int:
        """Genuine touches that score below the threshold or gave no features."""
        return sum(count for score, count in self.genuine.items() if score < threshold)

    def false_accepts(self, threshold: int) -> int:
        """Impostor comparisons that reach the threshold."""
        return sum(count for score, count in self.impostor.items() if score >= threshold)


@dataclass(frozen=True)
class Subject:
    """One person who could be enrolled: the module's template, and what it made of later touches."""

    number: int
    template: bytes
    touches: tuple[bytes | None, ...]

    @property
    def usable(self) -> bytes | None:
        """The first touch with features."""
        return next((touch for touch in self.touches if touch is not None), None)


def study(
    people: int,
    touches: int,
    seed: int,
    workers: int = 2,
    profile: Profile = R503,
    progress: Progress | None = None,
) -> Study:
    """Enrol `people`, take `touches` of each, and compare everybody with everybody."""
    if people < 2 or touches < 1:
        raise ValueError("a population has at least two people with one touch each")
    tell = progress or (lambda _what, _done, _total: None)
    result = Study(people)
    chunks = [range(first, min(first + CHUNK, people)) for first in range(0, people, CHUNK)]
    subjects: list[Subject] = []
    with ProcessPoolExecutor(workers) as pool:
        jobs = [pool.submit(_enrol, profile, seed, chunk, touches) for chunk in chunks]
        for done, (enrolled, scores) in _finished(jobs):
            subjects += enrolled
            result.genuine += scores
            tell("enrolment and genuine comparisons", done, len(jobs))
    result.enrolled = len(subjects)
    subjects.sort(key=lambda subject: subject.number)
    templates = [(subject.number, subject.template) for subject in subjects]
    probes = [(subject.number, subject.usable) for subject in subjects if subject.usable is not None]
    with ProcessPoolExecutor(workers, initializer=_prepare, initargs=(profile, templates)) as pool:
        jobs = [
            pool.submit(_impostors, probes[first : first + CHUNK]) for first in range(0, len(probes), CHUNK)
        ]
        for done, scores in _finished(jobs):
            result.impostor += scores
            tell("impostor comparisons", done, len(jobs))
    return result


def _finished(jobs: list[Future]):
    """Results as they come, each with how many have come; an error cancels the rest."""
    try:
        for done, job in enumerate(as_completed(jobs), 1):
            yield done, job.result()
    finally:
        for job in jobs:
            job.cancel()


def _enrol(profile: Profile, seed: int, numbers: range, touches: int) -> tuple[list[Subject], Counter[int]]:
    """The subjects among these people, and their genuine scores."""
    subjects, scores = [], Counter()
    for number in numbers:
        finger = make_finger(f"population {seed}/{number}", RIGHT_INDEX)
        desk = EnrolmentDesk(profile, seed * 1_000_003 + number)
        template = desk.enrol(finger)
        if template is None:
            continue
        subject = Subject(number, template, tuple(desk.features(finger) for _ in range(touches)))
        own = _prepared(profile, template)
        for touch in subject.touches:
            scores[REJECTED if touch is None else compare(_prepared(profile, touch), own)] += 1
        subjects.append(subject)
    return subjects, scores


def _prepared(profile: Profile, template: bytes) -> Features:
    return Features(decode(profile.model, profile.template_size, template))


_gallery: list[tuple[int, Features]] = []  # of this worker: everybody's template, prepared once
_profile = R503


def _prepare(profile: Profile, templates: list[tuple[int, bytes]]) -> None:
    global _profile  # a worker is initialised once
    _profile = profile
    _gallery[:] = [(number, _prepared(profile, template)) for number, template in templates]


def _impostors(probes: list[tuple[int, bytes]]) -> Counter[int]:
    """Scores of these people's touches against everybody else."""
    scores: Counter[int] = Counter()
    for number, touch in probes:
        probe = _prepared(_profile, touch)
        scores.update(compare(probe, template) for other, template in _gallery if other != number)
    return scores
