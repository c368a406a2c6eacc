"""What gunicorn and the flask command load: the app, as the environment describes it."""

from authsvc import create_app
from authsvc.settings import SettingsRefused
from config import SettingInvalid, from_environment

try:
    app = create_app(from_environment())
except (SettingInvalid, SettingsRefused) as refused:
    raise SystemExit(str(refused)) from None
