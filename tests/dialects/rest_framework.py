"""djangorestframework-simplejwt itself, in this process: what it answers is what ours has to answer."""

import os

import django
from django.conf import settings
from django.urls import path

# The browser of other tests keeps an event loop in this thread, and Django would take itself for a guest of it.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "yes"
settings.configure(
    SECRET_KEY="only for tests, and long enough for HS256",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "rest_framework",
        "rest_framework_simplejwt",
        "rest_framework_simplejwt.token_blacklist",
    ],
    SIMPLE_JWT={"ROTATE_REFRESH_TOKENS": True, "BLACKLIST_AFTER_ROTATION": True},
    USE_TZ=True,
)
django.setup()

from django.contrib.auth import get_user_model  # noqa: E402  (there is no user before Django is set up)
from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402
from rest_framework_simplejwt import views  # noqa: E402

urlpatterns = [
    path("api/token/", views.TokenObtainPairView.as_view()),
    path("api/token/refresh/", views.TokenRefreshView.as_view()),
    path("api/token/verify/", views.TokenVerifyView.as_view()),
    path("api/token/blacklist/", views.TokenBlacklistView.as_view()),
]


class RestFramework:
    """A server with one user."""

    def __init__(self, username, password):
        call_command("migrate", verbosity=0)
        get_user_model().objects.create_user(username, password=password)
        self.client = Client(raise_request_exception=False)

    def post(self, path, body, content_type="application/json"):
        answer = self.client.post(path, body, content_type=content_type)
        return answer.status_code, answer.json() if answer.content else None, dict(answer.headers)
