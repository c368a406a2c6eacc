"""Clients that do as docs/rotation.md says, and write down what they were promised."""

import http.client
import itertools
import random
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field

from tests.live.devices import Device, Lost

PATIENCE = 120  # what is not answered after so long is lost
UNANSWERED = "no answer"
CLOSED = "connection closed"


class GaveUp(Exception):
    """A client got an answer that it must never get, or none at all."""


@dataclass
class Promised:
    """What one client was told is done, and the answers that it got."""

    generations: dict = field(default_factory=dict)  # sign-in -> the last generation that was answered
    ended: list = field(default_factory=list)  # sign-ins, as Device, that were ended
    api_tokens: dict = field(default_factory=dict)  # id -> text, of those that live
    ended_api_tokens: dict = field(default_factory=dict)
    answers: Counter = field(default_factory=Counter)  # (what was asked, what came) -> how often
    refreshes: list = field(default_factory=list)  # (asked at, answered at)
    slowest: float = 0.0
    wrong: list = field(default_factory=list)  # sentences: answers that must not be


class Roaming(Device):
    """A device behind a load balancer: whoever does not answer is not asked again at once."""

    def __init__(self, servers, transport, start):
        self.servers = itertools.cycle(servers[start % len(servers) :] + servers[: start % len(servers)])
        super().__init__(next(self.servers), transport)
        self.attempt = None

    def move_on(self):
        self.connection.close()
        self.server = next(self.servers)
        self.connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)

    def bearing(self):
        return {"Authorization": f"Bearer {self.access}"}


class Client:
    """One user at one device, who signs in once; and now and then somewhere else, which is ended again."""

    def __init__(self, servers, number):
        self.servers, self.number = servers, number
        self.transport = ("body", "cookie")[number % 2]
        self.promised = Promised()
        self.chance = random.Random(number)
        self.email = f"{uuid.uuid4().hex}@example.com"
        self.device = self.new_device()
        self.resting = threading.Event()
        self.thread = None

    def new_device(self):
        return Roaming(self.servers, self.transport, self.number)

    # One request, until it is answered

    def insist(self, what, send, device=None, refused=None):
        """Ask until the answer is yes, as long as it is 503 or none; with `refused`, until it is that refusal."""
        device = device or self.device
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            asked = time.monotonic()
            try:
                answer = send()
            except Lost as lost:
                answer, came = None, UNANSWERED if isinstance(lost.__cause__, TimeoutError) else CLOSED
            else:
                came = str(answer.status) if answer.status < 400 else f"{answer.status} {answer.code}"
            answered = time.monotonic()
            self.promised.slowest = max(self.promised.slowest, answered - asked)
            self.promised.answers[what, came] += 1
            if answer is None:
                pause = 0.2
            elif answer.status == 503 and "Retry-After" in answer.headers:
                pause = float(answer.headers["Retry-After"])
            else:
                self.judge(what, answer, refused)
                return answer, asked, answered
            time.sleep(pause * self.chance.uniform(1, 1.2))  # so that not all come back at once
            device.move_on()
        raise self.gave_up(f"{what} was not answered within {PATIENCE} s")

    def judge(self, what, answer, refused):
        if refused is None and answer.status >= 300:
            raise self.gave_up(f"{what}: {answer.status} {answer.text}")
        if refused is not None and (answer.status, answer.code) != (401, refused):
            raise self.gave_up(f"{what}: {answer.status} instead of {refused}: {answer.text}")

    def gave_up(self, sentence):
        self.promised.wrong.append(f"client {self.number} ({self.transport}): {sentence}")
        return GaveUp(sentence)

    # What a client does

    def register(self):
        body = {"email": self.email} | self.device.usual()
        answer, *_ = self.insist("register", lambda: self.device.send("POST", "/auth/register", body))
        self.keep(self.device, answer)

    def keep(self, device, answer):
        device.keep(answer)
        self.promised.generations[device.id] = device.generation

    def refresh(self, device=None):
        """The attempt key is kept beside the token before it is sent, and until an answer is there."""
        device = device or self.device
        device.attempt = device.attempt or uuid.uuid4().hex
        answer, asked, answered = self.insist("refresh", lambda: device.refresh(attempt=device.attempt), device)
        self.keep(device, answer)
        device.attempt = None
        if device is self.device:
            self.promised.refreshes.append((asked, answered))

    def look(self):
        self.insist("ask who I am", self.device.me)

    def come_and_go(self):
        """Sign in somewhere else, refresh there, and end that."""
        other = self.new_device()
        body = {"email": self.email} | other.usual()
        answer, *_ = self.insist("sign in", lambda: other.send("POST", "/auth/login", body), other)
        self.keep(other, answer)
        self.refresh(other)
        path, bearing = f"/jwt/refresh/{other.id}", self.device.bearing
        self.insist("end a sign-in", lambda: self.device.send("DELETE", path, headers=bearing()))
        del self.promised.generations[other.id]
        self.promised.ended.append(other)
        other.connection.close()

    def make_api_token(self):
        body = {"name": "script", "scopes": []}
        send, bearing = self.device.send, self.device.bearing
        answer, *_ = self.insist("make an API token", lambda: send("POST", "/api-tokens", body, bearing()))
        made = answer.json["data"]
        self.promised.api_tokens[made["apiToken"]["id"]] = made["token"]

    def end_api_token(self):
        if self.promised.api_tokens:
            chosen = self.chance.choice(list(self.promised.api_tokens))
            send, bearing = self.device.send, self.device.bearing
            self.insist("end an API token", lambda: send("DELETE", f"/api-tokens/{chosen}", headers=bearing()))
            self.promised.ended_api_tokens[chosen] = self.promised.api_tokens.pop(chosen)

    def try_what_was_ended(self):
        """Nothing that was ended works again, not for a moment."""
        if self.promised.ended:
            self.insist_on_end(self.chance.choice(self.promised.ended))
        if self.promised.ended_api_tokens:
            text = self.chance.choice(list(self.promised.ended_api_tokens.values()))
            self.insist("use an ended API token", lambda: self.use(text), refused="token_revoked")

    def insist_on_end(self, other):
        self.insist("use an ended access token", other.me, other, refused="token_revoked")
        self.insist("use an ended refresh token", other.refresh, other, refused="token_revoked")
        other.connection.close()

    def use(self, api_token):
        return self.device.send("GET", "/auth/me", headers={"X-Api-Key": api_token})

    def check(self):
        """Everything that was promised, asked for once."""
        self.device.connection.close()  # it may have been idle for longer than the server keeps it
        self.refresh()
        self.look()
        for other in self.promised.ended:
            self.insist_on_end(other)
        for text in self.promised.api_tokens.values():
            self.insist("use an API token", lambda text=text: self.use(text))
        for text in self.promised.ended_api_tokens.values():
            self.insist("use an ended API token", lambda text=text: self.use(text), refused="token_revoked")

    # Going on and resting

    def live(self):
        rare = (self.come_and_go, self.make_api_token, self.end_api_token, self.try_what_was_ended)
        while not self.resting.is_set():
            self.refresh()
            self.look()
            if self.chance.random() < 0.5:
                self.chance.choice(rare)()
            self.resting.wait(0.02)

    def go(self, do):
        """In a thread. A client to which something was wrong does nothing any more."""
        self.rest()
        self.resting.clear()
        if not self.promised.wrong:
            self.thread = threading.Thread(target=self.try_to, args=(do,))
            self.thread.start()

    def try_to(self, do):
        try:
            do()
        except GaveUp:
            pass  # it is written down
        except Exception as error:  # noqa: BLE001  (nobody else would hear of it)
            self.promised.wrong.append(f"client {self.number} ({self.transport}): {error!r}")

    def rest(self):
        self.resting.set()
        if self.thread is not None:
            self.thread.join()
            self.thread = None

    def longest_gap(self, since):
        """Between two refreshes that were answered, of those that reach beyond a moment."""
        ends = [answered for _, answered in list(self.promised.refreshes)]
        return max((after - before for before, after in itertools.pairwise(ends) if after > since), default=0.0)
