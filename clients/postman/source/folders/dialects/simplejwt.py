"""djangorestframework-simplejwt."""

from clients.postman.source.parts import NOBODY, folder, post
from clients.postman.source.scripts import A_JWT

AT = "/simplejwt/api/token/"
HERE = {"auth": NOBODY, "bare": True}

FOLDER = folder(
    "simplejwt",
    "djangorestframework-simplejwt: the base URL is `{{baseUrl}}/simplejwt`.",
    post(
        AT,
        "simplejwt: sign in",
        "The user name may be an e-mail address.",
        json={"username": "{{email}}", "password": "{{password}}"},
        holds={"access": A_JWT, "refresh": A_JWT},
        saves={"simplejwtRefresh": "refresh", "simplejwtAccess": "access"},
        **HERE,
    ),
    post(
        f"{AT}verify/",
        "simplejwt: is this token good?",
        "A token of either kind.",
        json={"token": "{{simplejwtAccess}}"},
        after=['pm.test("nothing more is said", () => pm.expect(body).to.eql({}));'],
        **HERE,
    ),
    post(
        f"{AT}refresh/",
        "simplejwt: refresh",
        "It rotates: keep the new one.",
        json={"refresh": "{{simplejwtRefresh}}"},
        holds={"access": A_JWT, "refresh": A_JWT},
        saves={"simplejwtRefresh": "refresh"},
        **HERE,
    ),
    post(
        f"{AT}blacklist/",
        "simplejwt: sign out",
        "The sign-in ends, with its access tokens.",
        json={"refresh": "{{simplejwtRefresh}}"},
        after=['pm.test("nothing more is said", () => pm.expect(body).to.eql({}));'],
        **HERE,
    ),
    post(
        f"{AT}refresh/",
        "simplejwt: refresh after signing out",
        "Front-ends look at `code`.",
        json={"refresh": "{{simplejwtRefresh}}"},
        status=401,
        holds={"code": "token_not_valid", "detail": "Token is blacklisted"},
        **HERE,
    ),
)
