"""The same API with authsvc in it: the routes and their guards don't know the difference."""

from flask import Flask

from authsvc import init_app
from examples.restaurants.api import bp


def create_app() -> Flask:
    app = Flask(__name__)
    app.register_blueprint(bp)
    init_app(app, prefix="/identity")
    return app
