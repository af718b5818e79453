"""schemathesis against the API, as nobody and as every role: no 5xx, and no answer that is not documented.

DOORWARD_FUZZ_EXAMPLES asks for more examples per operation than the few of every day.
"""

import os

import pytest
import schemathesis
from doorward_server.security.roles import Role
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = int(os.environ.get("DOORWARD_FUZZ_EXAMPLES", "2"))
THINGS = 8  # numbers below which the staffed bank has people, boxes, sites and users
# These end the login, so they come last, each with a login of its own.
ENDING = ("/api/logout", "/api/me/password")


@pytest.mark.parametrize("role", [None, *Role], ids=lambda role: role or "nobody")
def test_every_operation_answers_as_documented(role, app, staffed, client, log_in):
    schema = schemathesis.openapi.from_dict(app.openapi())
    schema.app = app
    asked, browser = 0, None
    found = list(schema.get_all_operations())
    operations = [result.ok() for result in found if isinstance(result, Ok)]
    assert len(operations) == len(found)
    for operation in sorted(operations, key=lambda one: one.path in ENDING):
        if browser is None or operation.path in ENDING:
            browser = client if role is None else log_in(staffed.users[role])
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            asked += _ask(operation, mode, dict(browser.headers), dict(browser.cookies))
    assert asked >= len(operations) * min(EXAMPLES, 2)


def _ask(operation, mode: GenerationMode, headers: dict, cookies: dict) -> int:
    """Ask with generated requests; returns how many; none where nothing can be wrong."""
    count = 0

    @seed(1)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    @given(case=operation.as_strategy(mode))
    def ask(case):
        nonlocal count
        count += 1
        if mode is GenerationMode.POSITIVE:  # about things that are there, else all answers were 404
            for name, value in case.path_parameters.items():
                if isinstance(value, int):
                    case.path_parameters[name] = value % THINGS + 1
        case.call_and_validate(checks=CHECKS, headers=headers, cookies=cookies)

    try:
        ask()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE
    return count
