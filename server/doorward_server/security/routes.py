"""Login and logout, one's own password, users, and the answers of the server about itself."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import text

from doorward_server.database import SessionDependency
from doorward_server.problems import problem_responses
from doorward_server.security import cookies, sessions, users
from doorward_server.security.approval_routes import router as approval_router
from doorward_server.security.dependencies import ServicesDependency, needs, public
from doorward_server.security.models import User
from doorward_server.security.roles import Permission, Role, allows

router = APIRouter(tags=["security"])
router.include_router(approval_router)

Login = Annotated[str, Field(pattern=f"^{users.LOGIN_NAME}$", examples=["wang.li"])]
Password = Annotated[str, Field(max_length=200)]
Self = Annotated[User, needs(Permission.SELF)]
UserManager = Annotated[User, needs(Permission.MANAGE_USERS)]
UserId = Annotated[int, Path(ge=1)]


class Health(BaseModel):
    """That the server runs and its database answers."""

    status: Literal["ok"]
    time: datetime


class Credentials(BaseModel):
    """A login name and its password."""

    login: Annotated[str, Field(max_length=100)]
    password: Password


class PublicUser(BaseModel):
    """A user as others may see it."""

    id: int
    login: str
    name: str
    role: Role
    site_id: int | None
    person_id: int | None
    language: str


class LoggedIn(BaseModel):
    """Who is logged in, what they may do, and the token to send with every change as `X-CSRF-Token`."""

    user: PublicUser
    permissions: list[Permission]
    csrf_token: str


class NewUser(BaseModel):
    """A user to be made, once a second person has agreed, who chooses the second half of the password."""

    login: Login
    name: Annotated[str, Field(min_length=1, max_length=80)]
    role: Role
    site_id: int | None = None
    person_id: int | None = None
    language: Literal["zh", "en"] = "zh"
    password: Password


class NewPassword(BaseModel):
    """A password to be set for somebody, once a second person has agreed: its first half."""

    password: Password


class OwnPassword(BaseModel):
    """A change of one's own password."""

    current: Password
    new: Password


class Asked(BaseModel):
    """A step that now waits for a second person."""

    approval_id: int


@router.get("/api/health", dependencies=[public()])
def health(session: SessionDependency, services: ServicesDependency) -> Health:
    """Whether the server runs and its database answers."""
    session.connection().execute(text("SELECT 1"))
    return Health(status="ok", time=services.clock.now())


@router.get("/api/openapi.json", responses=problem_responses(401))
def openapi(request: Request, _user: Self) -> dict[str, Any]:
    """The description of this API."""
    return request.app.openapi()


@router.post("/api/login", dependencies=[public()], responses=problem_responses(401, 403, 422, 429))
def log_in(
    credentials: Credentials, request: Request, response: Response, services: ServicesDependency
) -> LoggedIn:
    """Log in. The answer sets the cookie that every further request carries."""
    address = cookies.address_of(request)
    user, token = sessions.log_in(services, credentials.login, credentials.password, address)
    cookies.set_login(response, request, token)
    return _logged_in(user, token)


@router.post("/api/logout", responses=problem_responses(401, 403))
def log_out(request: Request, response: Response, session: SessionDependency, _user: Self) -> None:
    """End this login."""
    sessions.log_out(session, request.cookies[sessions.COOKIE])
    cookies.clear_login(response)


@router.get("/api/me", responses=problem_responses(401))
def me(request: Request, user: Self) -> LoggedIn:
    """Who is logged in here."""
    return _logged_in(user, request.cookies[sessions.COOKIE])


@router.post("/api/me/password", responses=problem_responses(401, 403, 422))
def change_password(
    passwords: OwnPassword, response: Response, session: SessionDependency, user: Self
) -> None:
    """Change one's own password. All one's logins end, this one too."""
    users.change_own_password(session, user, passwords.current, passwords.new)
    cookies.clear_login(response)


@router.get("/api/users", responses=problem_responses(401, 403))
def list_users(session: SessionDependency, _user: UserManager) -> list[PublicUser]:
    """All users."""
    return [_public(user) for user in users.list_users(session)]


@router.post("/api/users", status_code=202, responses=problem_responses(401, 403, 404, 409, 422))
def ask_for_user(new: NewUser, session: SessionDependency, user: UserManager) -> Asked:
    """Ask for a new user; made once a second person approves."""
    fields = new.model_dump(mode="json", exclude={"password"})
    return Asked(approval_id=users.request_user(session, user, new.password, fields).id)


@router.post(
    "/api/users/{user_id}/password", status_code=202, responses=problem_responses(401, 403, 404, 409, 422)
)
def ask_for_password(
    user_id: UserId, new: NewPassword, session: SessionDependency, user: UserManager
) -> Asked:
    """Ask for a new password for somebody who has lost theirs; set once a second person approves."""
    subject = users.get_user(session, user_id)
    return Asked(approval_id=users.request_password(session, user, subject, new.password).id)


@router.delete("/api/users/{user_id}", status_code=204, responses=problem_responses(401, 403, 404, 409, 422))
def remove_user(user_id: UserId, session: SessionDependency, user: UserManager) -> None:
    """Remove a user. All logins of that user end at once."""
    users.remove_user(session, user, users.get_user(session, user_id))


def _public(user: User) -> PublicUser:
    return PublicUser.model_validate(user, from_attributes=True)


def _logged_in(user: User, token: str) -> LoggedIn:
    return LoggedIn(
        user=_public(user),
        permissions=[permission for permission in Permission if allows(user.role, permission)],
        csrf_token=sessions.csrf_token(token),
    )
