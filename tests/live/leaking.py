"""The service with views that fail and an app around it that fails too. What they say of the request is logged."""

from flask import redirect, request

from authsvc.credentials.guard import public
from tests.live.crashing import app


@app.get("/fails")
@public
def fails():
    raise RuntimeError(f"{request.url} {request.full_path} {request.environ}")


@app.route("/breaks", methods=["GET", "POST"])
@public
def breaks():
    request.get_data()
    raise RuntimeError("as it happens")


@app.get("/gone")
@public
def gone():
    return redirect(f"{request.full_path}&there", 308)


class Around:
    def __init__(self, inner):
        self.inner = inner

    def __call__(self, environ, start_response):
        if environ["PATH_INFO"].startswith("/escapes"):
            raise RuntimeError(f"{environ['QUERY_STRING']} {environ}")
        return self.inner(environ, start_response)


app.wsgi_app = Around(app.wsgi_app)
