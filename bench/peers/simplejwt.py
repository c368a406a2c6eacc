"""djangorestframework-simplejwt, with rotation and its blacklist: as much as it has against stolen refresh tokens."""

import os
import sys
from datetime import timedelta
from urllib.parse import urlsplit

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import path

WHERE = urlsplit(os.environ["BENCH_DATABASE_URL"])
LIFETIME = timedelta(seconds=int(os.environ["BENCH_LIFETIME"]))
DATABASES = {
    "sqlite": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": WHERE.path[1:],
        "OPTIONS": {
            # Writers take the lock when they begin, or they fail when another wrote in between. As durable as authsvc.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        },
    },
    "postgresql": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": WHERE.hostname,
        "PORT": WHERE.port,
        "USER": WHERE.username,
        "NAME": WHERE.path[1:],
    },
}

settings.configure(
    DEBUG=False,
    SECRET_KEY=os.environ["BENCH_SECRET"],
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    # No middleware, no pages, nobody's cookies: an API that does nothing but this.
    MIDDLEWARE=[],
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "rest_framework",
        "rest_framework_simplejwt",
        "rest_framework_simplejwt.token_blacklist",
    ],
    # A connection for each thread, kept: without it each request opens one.
    DATABASES={"default": DATABASES[WHERE.scheme.partition("+")[0]] | {"CONN_MAX_AGE": None}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    USE_TZ=True,
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    },
    # HS256, its default, is the quickest that it has.
    SIMPLE_JWT={
        "ACCESS_TOKEN_LIFETIME": LIFETIME,
        "ROTATE_REFRESH_TOKENS": True,
        "BLACKLIST_AFTER_ROTATION": True,
    },
)
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.db import transaction  # noqa: E402
from rest_framework.decorators import api_view  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework_simplejwt.tokens import RefreshToken  # noqa: E402
from rest_framework_simplejwt.views import TokenRefreshView  # noqa: E402


@api_view(["GET"])
def restaurants(request):
    """The view looks its user up, as JWTAuthentication does by itself."""
    return Response({"for": str(request.user.pk)})


urlpatterns = [path("restaurants", restaurants), path("api/token/refresh/", TokenRefreshView.as_view())]
app = get_wsgi_application()


def plant(count):
    call_command("migrate", verbosity=0)
    User.objects.bulk_create(User(username=f"user{n}", email=f"user{n}@example.org") for n in range(count))


@transaction.atomic
def mint(kind, count):
    for user in User.objects.order_by("pk")[:count]:
        refresh = RefreshToken.for_user(user)
        print(*((refresh.access_token, f'"for":"{user.pk}"') if kind == "access" else (refresh, '"access"')))


if __name__ == "__main__":
    command, number = sys.argv[1], int(sys.argv[2])
    plant(number) if command == "plant" else mint(command, number)
