"""API shapes of notices, preferences, targets and deliveries."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

from backend.notices.kinds import DeliveryState, Language, Level, NoticeKind, SubjectType
from backend.pagination import Page

MAX_READ_AT_ONCE = 500
MAX_ADDRESS = 2000

TargetName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Kinds = Annotated[set[NoticeKind], Field(max_length=len(NoticeKind))]
TargetUrl = Annotated[
    SecretStr,
    Field(
        min_length=1,
        max_length=MAX_ADDRESS,
        description="Where to send: an https address, or an Apprise address of a known service",
    ),
]


class Subject(BaseModel):
    """What a notice is about, named as it was then."""

    type: SubjectType
    id: UUID
    name: str


class Notice(BaseModel):
    """Something that happened."""

    id: UUID
    at: datetime
    kind: NoticeKind
    level: Level
    params: dict[str, Any] = Field(description="`error`: {code, message, hint, params}; figures")
    subject: Subject
    read_at: datetime | None


class NoticePage(Page[Notice]):
    """One page, and how many are unread altogether."""

    unread: int


class MarkRead(BaseModel):
    """Which notices have been read: some, or all there are."""

    model_config = ConfigDict(extra="forbid")

    ids: Annotated[list[UUID], Field(max_length=MAX_READ_AT_ONCE)] | None = None
    all: bool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> "MarkRead":
        if self.all == (self.ids is not None):
            raise ValueError("give either ids or all")
        return self


class UnreadCount(BaseModel):
    """How many notices are unread now."""

    unread: int


class NoticePreferences(BaseModel):
    """The kinds that the signed-in user wants to see in the app."""

    model_config = ConfigDict(extra="forbid")

    kinds: Kinds


class DeliveryError(BaseModel):
    """Why a message did not arrive; the code is a translation key."""

    code: str
    params: dict[str, str | int] = {}


class LastDelivery(BaseModel):
    """The newest message that was tried."""

    at: datetime
    ok: bool
    error: DeliveryError | None


class NoticeTarget(BaseModel):
    """Where messages are sent; `url` is what may be shown of the address."""

    id: UUID
    created_at: datetime
    name: str
    service: str
    url: str
    kinds: list[NoticeKind]
    language: Language
    enabled: bool
    waiting: int = Field(description="Messages that are still to be sent")
    last_delivery: LastDelivery | None


class NewNoticeTarget(NoticeTarget):
    """A target whose address has just been given."""

    signing_secret: str | None = Field(
        None, description="Webhooks: what messages are signed with; never shown again"
    )


class NoticeTargetCreate(BaseModel):
    """A new target."""

    model_config = ConfigDict(extra="forbid")

    name: TargetName
    url: TargetUrl
    kinds: Kinds = Field(default_factory=lambda: set(NoticeKind))
    language: Language = Language.ENGLISH
    enabled: bool = True


class NoticeTargetUpdate(BaseModel):
    """What changes of a target; a new address also changes what webhooks are signed with."""

    model_config = ConfigDict(extra="forbid")

    name: TargetName | None = None
    url: TargetUrl | None = None
    kinds: Kinds | None = None
    language: Language | None = None
    enabled: bool | None = None


class TargetTested(BaseModel):
    """What became of a test message."""

    ok: bool
    error: DeliveryError | None = None


class NoticeDelivery(BaseModel):
    """One message to one target."""

    id: UUID
    at: datetime
    kind: NoticeKind
    subject: Subject
    state: DeliveryState
    attempts: int
    tried_at: datetime | None
    due_at: datetime | None = Field(description="When it is tried next, while it waits")
    error: DeliveryError | None
