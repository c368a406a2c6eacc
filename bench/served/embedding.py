"""The same view behind `@requires`, in an app that embeds authsvc: what the guard costs is all the difference."""

from flask import Flask

from authsvc import init_app, principal, requires

app = Flask(__name__)
init_app(app)


@app.get("/restaurants")
@requires()
def restaurants() -> dict[str, str | None]:
    return {"for": principal.user_id}
