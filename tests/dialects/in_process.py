"""Clients that talk through requests, to an app in this process instead of over a network."""

import requests
from requests.adapters import BaseAdapter

HOST = "https://auth.example.org"


class InProcess(BaseAdapter):
    def __init__(self, app):
        super().__init__()
        self.client = app.test_client(use_cookies=False)

    def send(self, request, **_):
        asked = {"method": request.method, "headers": list(request.headers.items()), "data": request.body}
        told = self.client.open(request.url.removeprefix(HOST), base_url=HOST, **asked)
        answer = requests.Response()
        answer.status_code, answer.request, answer.url = told.status_code, request, request.url
        answer.headers.update(dict(told.headers))
        answer._content = told.data
        return answer

    def close(self):
        """There is nothing open."""


def asking(app):
    """What `requests.request` is, with that app behind it."""
    session = requests.Session()
    session.trust_env = False
    session.mount(HOST, InProcess(app))
    return session.request
