"""One's own login: who one is here, and the form to change one's password."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response

from doorward_server.console.pages import render, said_in_one
from doorward_server.console.texts import text
from doorward_server.database import SessionDependency
from doorward_server.problems import Problem
from doorward_server.security import cookies, users
from doorward_server.security.dependencies import ServicesDependency, needs
from doorward_server.security.models import User
from doorward_server.security.passwords import LONGEST
from doorward_server.security.roles import Permission

router = APIRouter(include_in_schema=False)

Self = Annotated[User, needs(Permission.SELF)]
Password = Annotated[str, Form(max_length=LONGEST)]


@router.get("/account")
def account_page(request: Request, services: ServicesDependency, user: Self) -> HTMLResponse:
    least = services.settings.password_minimum_length
    return render(request, services, "account.html", user, least=least)


@router.post("/account")
def change_password(
    request: Request,
    services: ServicesDependency,
    session: SessionDependency,
    user: Self,
    current: Password = "",
    new: Password = "",
    again: Password = "",
) -> Response:
    """All one's logins end, so that the answer is the login page."""
    least = services.settings.password_minimum_length
    try:
        if new != again:
            raise _differ()
        users.change_own_password(session, user, current, new)
    except Problem as problem:
        said = said_in_one(problem.answer, user.language)
        return render(request, services, "account.html", user, 422, least=least, problem=said)
    said = text("password_changed", user.language)
    answer = render(
        request,
        services,
        "login.html",
        language=user.language,
        problem=said,
        login=user.login,
        back="/",
    )
    cookies.clear_login(answer)
    return answer


def _differ() -> Problem:
    return Problem(
        422,
        "passwords_differ",
        "两次输入的新密码不一致。",
        "The new password was not typed the same twice.",
        "Type it again. 请重新输入。",
    )
