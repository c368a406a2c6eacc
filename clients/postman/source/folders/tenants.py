"""Applications and tenants."""

from clients.postman.source.parts import delete, folder, get, patch, post
from clients.postman.source.scripts import A_CLIENT_SECRET, ABSENT, AN_ID, SOME, other_than

APPLICATIONS = folder(
    "Applications",
    """Client programs: a web page, a phone app, a back office. Each decides how its refresh tokens travel and how long
    they live; what is `null`, the service's settings decide.""",
    post(
        "/admin/applications",
        "Make an application",
        "A confidential one answers its `clientSecret`, in this answer alone.",
        status=201,
        json={
            "name": "Shop {{run}}",
            "slug": "shop-{{run}}",
            "transport": "cookie",
            "refreshIdleLifetime": 86400,
            "corsOrigins": ["https://shop.example.org"],
            "confidential": True,
            "scopes": ["tokens:read"],
        },
        holds={
            "data.id": AN_ID,
            "data.slug": "shop-{{run}}",
            "data.transport": "cookie",
            "data.accessLifetime": None,
            "data.refreshIdleLifetime": 86400,
            "data.corsOrigins": ["https://shop.example.org"],
            "data.clientSecret": A_CLIENT_SECRET,
        },
        saves={"shopId": "data.id"},
    ),
    get(
        "/admin/applications",
        "Find applications",
        "All of them, or by `slug` and `active`.",
        query={"slug": "shop-{{run}}", "active": "true"},
        holds={"data.items.length": 1, "data.items[0].id": "{{shopId}}"},
    ),
    get(
        "/admin/applications/{{shopId}}",
        "One application",
        "By id; its secret is not shown again.",
        holds={"data.id": "{{shopId}}", "data.confidential": True, "data.clientSecret": ABSENT},
    ),
    patch(
        "/admin/applications/{{shopId}}",
        "Change an application",
        "Lists are replaced, `null` leaves a thing to the settings again. `active: false` ends every sign-in to it.",
        json={"accessLifetime": 300, "refreshIdleLifetime": None, "corsOrigins": []},
        holds={"data.accessLifetime": 300, "data.refreshIdleLifetime": None, "data.corsOrigins": []},
    ),
    post(
        "/admin/applications/{{shopId}}/secret",
        "The next secret",
        "The one before goes on for the overlap, so that what uses it can be changed.",
        status=201,
        json={"overlap": 3600},
        holds={"data.id": "{{shopId}}", "data.clientSecret": A_CLIENT_SECRET},
    ),
    delete(
        "/admin/applications/{{shopId}}",
        "Delete an application",
        "Every sign-in to it ends.",
        holds={"data.id": "{{shopId}}", "data.revoked": 0},
    ),
)

TENANTS = folder(
    "Tenants",
    """The walls: users, applications, roles and sign-ins belong to one, and nothing is seen across it. Operators, who
    hold `tenants:write`, name any tenant in `X-Tenant-Id` on administrative routes; for everybody else the header
    never opens anything.""",
    post(
        "/admin/tenants",
        "Make a tenant",
        "With the built-in roles and an application `default`, and nobody in it yet.",
        status=201,
        json={"name": "East {{run}}", "slug": "east-{{run}}"},
        holds={"data.id": AN_ID, "data.slug": "east-{{run}}", "data.active": True},
        saves={"eastId": "data.id"},
    ),
    get("/admin/tenants", "The tenants", "By the page.", query={"limit": "5"}, holds={"data.items": SOME}),
    get("/admin/tenants/{{eastId}}", "One tenant", "By id.", holds={"data.id": "{{eastId}}"}),
    patch(
        "/admin/tenants/{{eastId}}",
        "Rename a tenant",
        "`active: false` would end every sign-in of it.",
        json={"name": "Far East {{run}}"},
        holds={"data.name": "Far East {{run}}", "data.slug": "east-{{run}}"},
    ),
    post(
        "/admin/users",
        "The tenant's first administrator",
        "`X-Tenant-Id` says where: its id or its slug.",
        status=201,
        headers={"X-Tenant-Id": "east-{{run}}"},
        json={"email": "{{email}}", "roles": ["member", "admin"]},
        holds={"data.id": other_than("{{userId}}"), "data.email": "{{email}}", "data.roles": ["admin", "member"]},
    ),
    delete(
        "/admin/tenants/{{eastId}}",
        "Delete a tenant",
        "And all that belonged to it. There is no way back; turning it off has one.",
        holds={"data.id": "{{eastId}}", "data.revoked": 0},
    ),
)
