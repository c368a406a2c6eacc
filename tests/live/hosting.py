"""An app that embeds authsvc, served by its own server with its own log; what goes wrong in it escapes."""

from authsvc import init_app
from tests.restaurants import restaurants

app = restaurants()
app.config["PROPAGATE_EXCEPTIONS"] = True
init_app(app, prefix="/identity")
