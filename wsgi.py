"""What gunicorn and the flask command load: the app, as the environment describes it."""

from authsvc import create_app
from config import from_environment

app = create_app(from_environment())
