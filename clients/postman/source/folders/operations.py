"""For whoever runs it."""

from clients.postman.source.parts import NOBODY, folder, get
from clients.postman.source.scripts import includes

FOLDER = folder(
    "Operations",
    "For whoever runs the service, and for programs that want its description.",
    get(
        "/healthz",
        "Is the process alive?",
        "It asks nothing else, not even the database.",
        auth=NOBODY,
        bare=True,
        holds={"status": "ok"},
    ),
    get(
        "/readyz",
        "Is it ready for work?",
        "The database answers, its tables are today's, and there is a key to sign with. If not, a 503.",
        auth=NOBODY,
        bare=True,
        holds={"status": "ready"},
    ),
    get(
        "/metrics",
        "The numbers, through a proxy",
        """What was counted, for Prometheus: only to addresses that `METRICS_READERS` names (in development, this
        machine), and never through a proxy, as this request says it came. Without that header, try it in a browser.""",
        auth=NOBODY,
        headers={"X-Forwarded-For": "192.0.2.7"},
        status=404,
        code="not_found",
    ),
    get(
        "/openapi.json",
        "The description of all routes",
        "OpenAPI 3.1, made from what the routes say of themselves; `/docs` shows it as a page.",
        auth=NOBODY,
        bare=True,
        holds={"openapi": includes("3.1"), "info.title": "authsvc"},
        after=[
            'pm.test("/jwt/refresh is in it", () => pm.expect(body.paths["/jwt/refresh"]).to.have.property("post"));'
        ],
        example=False,
    ),
)
