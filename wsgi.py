"""What gunicorn and the flask command load: the app, as the environment describes it."""

import gc
import sys

gc.disable()  # all that is loaded stays: to look through it again and again is a fifth of the start

from authsvc import create_app
from authsvc.settings import SettingsRefused
from config import Base, SettingInvalid, from_environment

config: Base | None = None
try:
    config = from_environment()
    app = create_app(config)
except (SettingInvalid, SettingsRefused, OSError) as refused:
    # With these settings there is no service; who asks what is wrong is told more than the first thing.
    from authsvc.cli.doctor import alone, is_asked_for

    if not is_asked_for(sys.argv[1:]):
        raise SystemExit(str(refused)) from None
    app = alone(config, refused)

gc.freeze()  # nor is it ever looked through later, in the middle of a request
gc.enable()
