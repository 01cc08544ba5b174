"""Login links by django-sesame, with Django's defaults: sessions in the database, and the time of the
last sign-in. Run as a program, it creates the users and prints a path for each."""

import os
import sys
from pathlib import Path

from django.conf import settings

settings.configure(
    SECRET_KEY="0123456789abcdef0123456789abcdef",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    AUTHENTICATION_BACKENDS=["sesame.backends.ModelBackend"],
    LOGIN_REDIRECT_URL="/",
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": Path(os.environ["BENCH_FOLDER"]) / "django.sqlite",
            "CONN_MAX_AGE": None,
            # One commit for the view, and not one for each of its statements.
            "ATOMIC_REQUESTS": True,
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
            },
        }
    },
)

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import path  # noqa: E402

application = get_wsgi_application()

from sesame.views import LoginView  # noqa: E402

urlpatterns = [path("login/", LoginView.as_view())]


def create(users):
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from sesame.utils import get_query_string

    call_command("migrate", verbosity=0)
    people = [User(username=f"user-{number:06}", first_name="Ada", last_name="Lovelace") for number in range(users)]
    for person in people:
        person.set_unusable_password()
    User.objects.bulk_create(people)
    for person in User.objects.all():
        print(f"/login/{get_query_string(person)}")


if __name__ == "__main__":
    create(int(sys.argv[1]))
