"""The web pages for operators and users, at /console: one file per subject, over the services that there are.

docs/console.md says how another subject is added.
"""

from flask import Blueprint, Flask

from authsvc.blueprints import envelope
from authsvc.console import (
    account,
    api_tokens,
    applications,
    assets,
    door,
    events,
    keys,
    my_api_tokens,
    navigation,
    overview,
    pages,
    roles,
    sign_ins,
    tenants,
    users,
)

SUBJECTS = (overview, users, sign_ins, api_tokens, applications, roles, tenants, keys, events, account)

bp = Blueprint("console", __name__, url_prefix="/console", template_folder="templates")
bp.register_blueprint(assets.bp)
bp.register_blueprint(door.bp)
account.bp.register_blueprint(my_api_tokens.bp)
for _subject in SUBJECTS:
    bp.register_blueprint(_subject.bp)

bp.after_request(pages.finish)
envelope.speak(bp, pages.refusal)
navigation.SECTIONS.extend(subject.SECTION for subject in SUBJECTS)


def install(app: Flask, *, served: bool) -> None:
    if served:
        app.register_blueprint(bp)
        pages.install(app)
