"""django-oauth-toolkit (PyPI) on 127.0.0.1, any free port, over http, mounted at /o/ as its tutorial says: OpenID with
RS256, opaque access tokens, PKCE wanted, any port of a loopback redirect, a login page and a consent page of Django's.

  REDIRECT_URI=... python django-provider.py     one line of JSON on stdout when ready; ends when stdin closes

Both refresh tokens and the access tokens beside them end at a revocation. GET /resource takes a token; POST /__end ends
all grants, as an administrator would.
"""

import json
import os
import secrets
import sys
import tempfile
import threading
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import django
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings

directory = tempfile.TemporaryDirectory(prefix="loopin-kit-")
key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = key.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
).decode()
LOGIN = '<!doctype html><title>Log in</title><form method="post">{% csrf_token %}{{ form }}<button>Log in</button></form>'
APPS = ["auth", "contenttypes", "sessions"]

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{directory.name}/db"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[*(f"django.contrib.{app}" for app in APPS), "oauth2_provider"],
    LOGIN_URL="/login/",
    # Tables straight from the models: all migrations of these packages take seconds.
    MIGRATION_MODULES={app: None for app in [*APPS, "oauth2_provider"]},
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    OAUTH2_PROVIDER={
        "OIDC_ENABLED": True,
        "OIDC_RSA_PRIVATE_KEY": PEM,
        "SCOPES": {"openid": "who you are", "read": "reading", "write": "writing"},
    },
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    ROOT_URLCONF=__name__,
    SECRET_KEY=secrets.token_hex(),
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "loaders": [
                    ("django.template.loaders.locmem.Loader", {"registration/login.html": LOGIN}),
                    "django.template.loaders.app_directories.Loader",
                ]
            },
        }
    ],
    USE_TZ=True,
)
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.contrib.auth.views import LoginView  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.urls import include, path  # noqa: E402
from django.views.decorators.csrf import csrf_exempt  # noqa: E402
from oauth2_provider.decorators import protected_resource  # noqa: E402
from oauth2_provider.models import Application, RefreshToken  # noqa: E402


@csrf_exempt
def end(_):
    for token in RefreshToken.objects.filter(revoked=None):
        token.revoke()
    return HttpResponse(status=204)


urlpatterns = [
    path("login/", LoginView.as_view()),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
    path("resource", protected_resource(scopes=["read"])(lambda _: HttpResponse())),
    path("__end", end),
]


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


call_command("migrate", run_syncdb=True, verbosity=0)
User.objects.create_user("person", password="practice")
clients = {}
for kind in ["public", "confidential"]:
    client = Application(
        name=kind,
        client_type=kind,
        authorization_grant_type="authorization-code",
        redirect_uris=os.environ["REDIRECT_URI"],
        algorithm="RS256",
    )
    secret = client.client_secret
    client.save()
    clients[kind] = (client.client_id, secret)

server = Server(("127.0.0.1", 0), Quiet)
server.set_app(get_wsgi_application())
threading.Thread(target=server.serve_forever, daemon=True).start()
origin = f"http://127.0.0.1:{server.server_port}"
print(
    json.dumps(
        {
            "issuer": f"{origin}/o",
            "authorization_endpoint": f"{origin}/o/authorize/",
            "token_endpoint": f"{origin}/o/token/",
            "revocation_endpoint": f"{origin}/o/revoke_token/",
            "resource_endpoint": f"{origin}/resource",
            **{kind: client_id for kind, (client_id, _) in clients.items()},
            "secrets": dict(clients.values()),
        }
    ),
    flush=True,
)
sys.stdin.read()
