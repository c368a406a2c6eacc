"""The audit trail."""

from clients.postman.source.parts import folder, get
from clients.postman.source.scripts import A_TIME

FOLDER = folder(
    "Events",
    "What happened in the tenant. Nothing changes or deletes an event.",
    get(
        "/admin/events",
        "What happened to the visitor",
        "Newest first. Filters: `kind`, `outcome`, ids, `ip`, `requestId` and times.",
        query={"subjectId": "{{userId}}", "kind": "user.registered"},
        holds={
            "data.items.length": 1,
            "data.items[0].kind": "user.registered",
            "data.items[0].subjectId": "{{userId}}",
            "data.items[0].outcome": "success",
            "data.items[0].at": A_TIME,
        },
        saves={"eventId": "data.items[0].id"},
    ),
    get("/admin/events/{{eventId}}", "One event", "By id.", holds={"data.id": "{{eventId}}"}),
)
