"""The demo bank: a vault, three branches, two vans, an escort company, their people and a dozen boxes.

`build` makes it in memory, with everybody's fingers and face, for the world; `bank_files.write` puts the
workbook, photos and templates into a folder, for the import. Names stay the same; prints, faces and tags
come from the seed, so that equal seeds give equal banks and different seeds different ones.

Templates are enrolled through an emulated module. One driver has worn prints, as about four people in a
hundred do: he has no template and is served by card and approval (requirement S24).
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from doorward_simulator import portraits
from doorward_simulator.devices.ef01_profiles import LIVE, Profile
from doorward_simulator.devices.pn532 import Card
from doorward_simulator.devices.tags import Tag
from doorward_simulator.enrolment import EnrolmentDesk
from doorward_simulator.fingers import Finger, make_finger
from doorward_simulator.portrait_look import Look

RIGHT_INDEX, RIGHT_MIDDLE, LEFT_INDEX = 2, 3, 7
ENROLLED = (RIGHT_INDEX, LEFT_INDEX)
DURESS = RIGHT_MIDDLE
COMPANY_PREFIX = "6951234"  # GS1 prefix of the demo bank
BOX_TYPE = 10421  # GRAI asset type of its boxes
LOWEST_CLARITY = 0.74  # of everybody but the driver with worn prints

# code, names, kind, area
SITES = (
    ("V01", "中心金库", "Central Vault", "vault", "总行"),
    ("B01", "中山路支行", "Zhongshan Road Branch", "branch", "城北区"),
    ("B02", "滨江支行", "Riverside Branch", "branch", "城北区"),
    ("B03", "火车站支行", "Railway Station Branch", "branch", "城南区"),
)
COMPANY = ("HX", "华信押运", "Huaxin Escort")
# staff number, names, role, site, female, worn prints
PEOPLE = (
    ("E1001", "王强", "Wang Qiang", "escort", "", False),
    ("E1002", "李建国", "Li Jianguo", "escort", "", False),
    ("E1003", "赵敏", "Zhao Min", "escort", "", True),
    ("E1004", "陈刚", "Chen Gang", "escort", "", False),
    ("E1005", "刘洋", "Liu Yang", "escort", "", False),
    ("E1006", "张伟", "Zhang Wei", "escort", "", False),
    ("D2001", "孙磊", "Sun Lei", "driver", "", False),
    ("D2002", "周涛", "Zhou Tao", "driver", "", False),
    ("O3001", "林小雨", "Lin Xiaoyu", "officer", "B01", True),
    ("O3002", "黄志强", "Huang Zhiqiang", "officer", "B01", False),
    ("O3003", "吴静", "Wu Jing", "officer", "B02", True),
    ("O3004", "徐文", "Xu Wen", "officer", "B03", False),
    ("K4001", "郑国平", "Zheng Guoping", "keeper", "V01", False),
)
WORN = "D2002"
PLATES = ("京A·Y0316", "京A·Y0742")
USERS = (
    ("dispatch1", "陆瑶", "dispatcher", "", "", "zh"),
    ("dispatch2", "高峰", "dispatcher", "", "", "zh"),
    ("duty1", "宋岩", "duty", "", "", "zh"),
    ("auditor1", "Helen Bai", "auditor", "", "", "en"),
    ("o3001", "林小雨", "officer", "B01", "O3001", "zh"),
    ("o3002", "黄志强", "officer", "B01", "O3002", "zh"),
    ("o3003", "吴静", "officer", "B02", "O3003", "zh"),
    ("o3004", "Xu Wen", "officer", "B03", "O3004", "en"),
    ("k4001", "郑国平", "keeper", "V01", "K4001", "zh"),
    ("admin", "系统管理员", "administrator", "", "", "zh"),
)


@dataclass
class Person:
    """One person with what the world needs of them: face, fingers, card."""

    staff_number: str
    name_zh: str
    name_en: str
    role: str
    company: str
    site: str
    permit_until: date
    card: Card
    look: Look
    fingers: dict[int, Finger]
    templates: dict[int, bytes] = field(default_factory=dict)  # by finger number; what could be enrolled
    duress: int | None = None  # finger number


@dataclass
class Vehicle:
    """One van; its tag is what the gate reads."""

    plate: str
    company: str
    epc: bytes
    tid: bytes

    def tag(self) -> Tag:
        return Tag(self.epc, self.tid)


@dataclass
class Box:
    """One cash box with its tag."""

    number: str
    epc: bytes
    tid: bytes
    home_site: str

    def tag(self) -> Tag:
        return Tag(self.epc, self.tid, signal=-52)


@dataclass
class Bank:
    """The whole bank in memory."""

    seed: str
    profile: Profile
    people: list[Person]
    vehicles: list[Vehicle]
    boxes: list[Box]

    def person(self, staff_number: str) -> Person:
        """Somebody by staff number; KeyError if nobody has it."""
        return _find(self.people, "staff_number", staff_number)

    def vehicle(self, plate: str) -> Vehicle:
        """A van by its plate."""
        return _find(self.vehicles, "plate", plate)

    def box(self, number: str) -> Box:
        """A box by its number."""
        return _find(self.boxes, "number", number)

    def fake_van(self, plate: str) -> Tag:
        """The tag of a second van that copied a true van's EPC: anybody can, but the TID is another."""
        true = self.vehicle(plate)
        return Tag(true.epc, _tid(Random(f"fake/{self.seed}/{plate}")))  # noqa: S311 - reproducible


def build(seed: str = "demo", profile: Profile = LIVE, today: date = date(2026, 3, 2)) -> Bank:
    """The bank of a seed, its prints enrolled with a module of `profile`; permits count from `today`."""
    random = Random(f"bank/{seed}")  # noqa: S311 - reproducible on purpose
    faces = portraits.looks(seed, [(number, role, female) for number, _, _, role, _, female in PEOPLE])
    desk = EnrolmentDesk(profile, random.getrandbits(32))
    people = []
    for number, name_zh, name_en, role, site, _ in PEOPLE:
        crew = role in ("escort", "driver")
        clarity = 0.14 if number == WORN else random.uniform(LOWEST_CLARITY, 0.97)
        person = Person(
            staff_number=number,
            name_zh=name_zh,
            name_en=name_en,
            role=role,
            company=COMPANY[0] if crew else "",
            site=site,
            permit_until=today + timedelta(days=random.randint(200, 900)),
            card=Card(b"\x04" + random.randbytes(6), b"\x00\x44", 0x00),
            look=faces[number],
            fingers={n: make_finger(f"{seed}/{number}", n, clarity) for n in range(1, 11)},
        )
        for finger_number in (*ENROLLED, DURESS):
            template = desk.enrol(person.fingers[finger_number])
            if template is not None:
                person.templates[finger_number] = template
        person.duress = DURESS if DURESS in person.templates else None
        people.append(person)
    vehicles = [
        Vehicle(plate, COMPANY[0], giai96(COMPANY_PREFIX, 7000 + i), _tid(random))
        for i, plate in enumerate(PLATES)
    ]
    branches = [code for code, _, _, kind, _ in SITES if kind == "branch"]
    boxes = [
        Box(f"HX-{i + 1:04d}", grai96(COMPANY_PREFIX, BOX_TYPE, 500_100 + i), _tid(random), branches[i % 3])
        for i in range(12)
    ]
    return Bank(seed, profile, people, vehicles, boxes)


def grai96(company_prefix: str, asset_type: int, serial: int) -> bytes:
    """GRAI-96 for a 7-digit company prefix (GS1 EPC Tag Data Standard 14.6.3: header 33, partition 5)."""
    value = 0x33
    for bits, part in ((3, 0), (3, 5), (24, int(company_prefix)), (20, asset_type), (38, serial)):
        value = value << bits | part
    return value.to_bytes(12, "big")


def giai96(company_prefix: str, reference: int) -> bytes:
    """GIAI-96 for a 7-digit company prefix (GS1 EPC Tag Data Standard 14.6.4: header 34, partition 5)."""
    value = 0x34
    for bits, part in ((3, 0), (3, 5), (24, int(company_prefix)), (58, reference)):
        value = value << bits | part
    return value.to_bytes(12, "big")


def _tid(random: Random) -> bytes:
    """A TID as Impinj burns it: class E2, maker and model, then a serial number of 48 bits."""
    return bytes.fromhex("e28011052000") + random.randbytes(6)


def _find(items: list, attribute: str, value: str):
    """The item whose attribute has a value."""
    for item in items:
        if getattr(item, attribute) == value:
            return item
    raise KeyError(
        f"{value!r} is not in the demo bank; known: {[getattr(item, attribute) for item in items]}"
    )
