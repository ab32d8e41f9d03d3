"""A real OpenID provider (canaille) on a free port of 127.0.0.1, with people, a group and one client of ours."""

from __future__ import annotations

import contextlib
import html
import logging
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
from joserfc.jwk import RSAKey

CLIENT_ID, CLIENT_SECRET, PASSWORD = "rotator", "canaille-client-s3cret", "correct horse battery"
PEOPLE = {"ana": "soc", "bo": "leads", "eve": ""}
"""Each with the group he is in; eve is in none."""
LOGGING = {"version": 1, "incremental": True}
"""It sets up logging for its whole process, which here is the tests' own: any other word silences their loggers."""
_FIELD = re.compile(r'name="csrf_token"[^>]*value="([^"]*)"')


@dataclass
class Provider:
    """The provider: its issuer, and how a person answers it in a browser."""

    app: Any
    issuer: str

    def knows(self, comes_back: str, signs_out_to: str) -> None:
        """Enter the client; to enter it again says another address of ours."""
        from canaille.app import models  # noqa: PLC0415 - half a second
        from canaille.backends import Backend  # noqa: PLC0415

        with self.app.app_context(), Backend.instance.session():
            client = Backend.instance.get(models.Client, client_id=CLIENT_ID) or models.Client(client_id=CLIENT_ID)
            client.client_name, client.client_secret = "rotator", CLIENT_SECRET
            client.client_uri = "http://127.0.0.1"
            client.redirect_uris, client.post_logout_redirect_uris = [comes_back], [signs_out_to]
            client.grant_types, client.response_types = ["authorization_code"], ["code"]
            client.token_endpoint_auth_method = "client_secret_basic"
            client.scope = ["openid", "profile", "groups"]
            Backend.instance.save(client)
            client.audience = [client]
            Backend.instance.save(client)

    def changes_its_key(self) -> None:
        """Sign with another key from now on; the old one is gone."""
        self.app.config["CANAILLE_OIDC"]["ACTIVE_JWKS"] = [RSAKey.generate_key(2048).as_dict(private=True)]

    def answers(self, address: str, login: str) -> str:
        """Sign in there as somebody; return where the browser is sent back to."""
        with httpx2.Client(base_url=self.issuer, trust_env=False) as browser:
            page = browser.get(address)
            while True:
                while page.is_redirect:
                    there = str(page.next_request.url)
                    if not there.startswith(self.issuer):
                        return there
                    page = browser.get(there)
                page = self._filled_in(browser, page, login)

    @staticmethod
    def _filled_in(browser: httpx2.Client, page: Any, login: str) -> Any:
        found = _FIELD.search(page.text)
        assert found is not None, f"{page.status_code} {page.url}: {page.text[:2000]}"
        data = {"csrf_token": html.unescape(found[1])}
        data |= {"login": login} if 'name="login"' in page.text else {}
        data |= {"password": PASSWORD} if 'name="password"' in page.text else {}
        data |= {"answer": "accept"} if 'name="answer"' in page.text else {}
        return browser.post(str(page.url), data=data)


@contextlib.contextmanager
def provider() -> Iterator[Provider]:
    """Start one; it knows no client yet."""
    from canaille import create_app  # noqa: PLC0415 - a second, which only who asks for it pays
    from canaille.app import models  # noqa: PLC0415
    from canaille.backends import Backend  # noqa: PLC0415
    from werkzeug.serving import make_server  # noqa: PLC0415

    holder: dict[str, Any] = {}
    server = make_server("127.0.0.1", 0, lambda *asked: holder["app"](*asked), threaded=True)  # noqa: PLW0108 - made later
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    at = f"127.0.0.1:{server.server_port}"
    app = create_app(
        {
            "SECRET_KEY": "a test's own",
            "SERVER_NAME": at,
            "PREFERRED_URL_SCHEME": "http",
            "CANAILLE": {"DATABASE": "memory", "JAVASCRIPT": False, "HTMX": False, "LOGGING": LOGGING},
            "CANAILLE_OIDC": {
                "ACTIVE_JWKS": [RSAKey.generate_key(2048).as_dict(private=True)],
                "USERINFO_MAPPING": {"PREFERRED_USERNAME": "{{ user.user_name }}"},
            },
        },
        init_backend=True,
        env_file="",
    )
    _match_all_that_is_asked(Backend.instance)
    with app.app_context(), Backend.instance.session():
        for login, group in PEOPLE.items():
            person = models.User(
                formatted_name=login, family_name=login, user_name=login, emails=[f"{login}@example.com"]
            )
            Backend.instance.save(person)
            Backend.instance.set_user_password(person, PASSWORD)
            if group:
                Backend.instance.save(models.Group(display_name=group, members=[person]))
    holder["app"] = app
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Provider(app, f"http://{at}")
    finally:
        server.shutdown()
        thread.join(30)
        server.server_close()


def _match_all_that_is_asked(backend: Any) -> None:
    """Let its memory find what fits every condition, as its SQL does: it finds what fits any, so any code."""
    query = backend.do_query

    def listed(value: Any) -> list[Any]:
        return value if isinstance(value, list) else [value]

    def fits(model: Any, each: Any, asked: dict[str, Any]) -> bool:
        return all(
            set(model.serialize(listed(value))) & set(listed(each._state.get(name))) for name, value in asked.items()
        )

    backend.do_query = lambda model, *args, **asked: [
        each for each in query(model, *args, **asked) if fits(model, each, asked)
    ]
