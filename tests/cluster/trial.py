"""A service on a cluster, clients at work, and what is done to the cluster meanwhile."""

import itertools
import time
from collections import Counter
from contextlib import ExitStack, contextmanager

from tests.cluster.clients import PATIENCE, Client
from tests.conftest import ADMIN_EMAIL, ADMIN_PASSWORD
from tests.live.devices import Device
from tests.servers.gunicorn import Gunicorn
from tests.servers.patroni import Cluster, within

WARM = 2.0  # seconds of load before and after something happens
SETTINGS = {"REFRESH_LEEWAY": "0"}  # every refresh is a step, and a lost one heals by its attempt key alone


class Trial:
    """`tell` is given every sentence about what happens; `losses` are the promises that were broken."""

    def __init__(self, *, servers=2, clients=6, tell=lambda sentence: None):
        self.tell = tell
        self.began = time.monotonic()
        self.losses = []
        with ExitStack() as starting:
            self.cluster = Cluster()
            starting.callback(self.cluster.stop)
            self.note(f"the cluster is up: {self.members()}")
            self.servers = []
            for number in range(servers):
                same = {"BASE_URL": self.servers[0].url} if self.servers else {}
                log = self.cluster.folder / f"authsvc{number + 1}.log"
                server = Gunicorn(self.cluster.url, log, workers=2, **SETTINGS, **same)
                starting.callback(server.stop)
                self.servers.append(server)
            self.add_cookie_application()
            self.clients = [Client(self.servers, number) for number in range(clients)]
            starting.callback(self.let_clients_go)
            for client in self.clients:
                client.register()
            self.running = starting.pop_all()
        self.note(f"authsvc runs on {servers} servers; {clients} clients have signed in")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.running.close()

    def note(self, sentence):
        self.tell(f"{time.monotonic() - self.began:7.2f} s  {sentence}")

    def members(self):
        return ", ".join(f"{name} {one['role']} ({one['state']})" for name, one in sorted(self.cluster.state().items()))

    def add_cookie_application(self):
        admin = Device(self.servers[0], "body")
        admin.keep(admin.send("POST", "/auth/login", {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}))
        body = {"name": "Pages", "slug": "cookie", "transport": "cookie"}
        answer = admin.send("POST", "/admin/applications", body, {"Authorization": f"Bearer {admin.access}"})
        assert answer.status == 201, answer.text
        admin.connection.close()

    def let_clients_go(self):
        for client in self.clients:
            client.rest()
            for device in (client.device, *client.promised.ended):
                device.connection.close()

    # What happens

    def round(self):
        """The primary dies; then a planned switchover; then the dead one comes back."""
        dead = self.kill_the_primary()
        self.switch_over()
        self.bring_back(dead)

    def kill_the_primary(self):
        with self.load("the primary is killed"):
            primary = within(PATIENCE, "a primary", self.cluster.primary)
            before = time.monotonic()
            primary.kill()
            killed = time.monotonic()
            self.note(f"{primary.name}, the primary, is killed: PostgreSQL and Patroni, SIGKILL")
            self.await_all(killed)
            first = min(answered for asked, answered in self.refreshes() if asked > killed)
            self.note(f"everybody refreshes again. The first one did {first - killed:.2f} s after the kill")
        self.tell_gaps(before)
        self.cluster.await_synchronous(2)
        self.note(self.members())
        return primary

    def switch_over(self):
        with self.load("a switchover is asked for"):
            before = time.monotonic()
            old, new = self.cluster.switch_over()
            self.note(f"switched over from {old.name} to {new.name} in {time.monotonic() - before:.2f} s")
            self.await_all(time.monotonic())
        self.tell_gaps(before)
        self.cluster.await_synchronous(2)
        self.note(self.members())

    def bring_back(self, dead):
        with self.load(f"{dead.name} is started again"):
            before = time.monotonic()
            said = len(dead.said())
            dead.start()
            self.cluster.await_synchronous(3)
            how = "pg_rewind" if "running pg_rewind" in dead.said()[said:] else "its own log, without pg_rewind"
            self.note(f"{dead.name} is a standby after {time.monotonic() - before:.2f} s, by {how}: {self.members()}")
        self.tell_gaps(before)

    @contextmanager
    def load(self, what):
        """Clients at work before it, while it happens and after it; then all that they were promised is looked at."""
        counted = self.answers()
        for client in self.clients:
            client.go()
        time.sleep(WARM)
        try:
            yield
            time.sleep(WARM)
        finally:
            for client in self.clients:
                client.rest()
        self.check(what)
        self.note("answers: " + told(self.answers() - counted))

    def await_all(self, since):
        """Every client was answered a refresh that it asked for after this moment. Or something is lost already."""

        def again():
            wrong = any(client.promised.wrong for client in self.clients)
            return wrong or all(
                any(asked > since for asked, _ in client.promised.refreshes[-3:]) for client in self.clients
            )

        within(PATIENCE + 10, "everybody refreshes again", again)

    # What came of it

    def refreshes(self):
        return itertools.chain.from_iterable(client.promised.refreshes for client in self.clients)

    def answers(self):
        return sum((client.promised.answers for client in self.clients), Counter())

    def tell_gaps(self, since):
        gaps = sorted(client.longest_gap(since) for client in self.clients)
        slowest = max(client.promised.slowest for client in self.clients)
        told = ", ".join(f"{gap:.2f}" for gap in gaps)
        self.note(f"longest time without a refresh, by client: {told} s; the slowest answer so far: {slowest:.2f} s")

    def check(self, what):
        """All that was promised to any client. What is not true any more is a loss."""
        with ExitStack() as going_on:
            for client in self.clients:
                if not client.promised.wrong:
                    going_on.callback(self.check_one, client)
        self.losses = [sentence for client in self.clients for sentence in client.promised.wrong]
        self.losses += [*self.lost_rows(), *self.alarms(), *self.failures()]
        promised = [client.promised for client in self.clients]
        self.note(
            f"after {what}: {len(self.losses)} losses. Looked at:"
            f" {sum(len(one.generations) for one in promised)} sign-ins that live,"
            f" {sum(len(one.ended) for one in promised)} ended ones,"
            f" {sum(len(one.api_tokens) for one in promised)} API tokens that live,"
            f" {sum(len(one.ended_api_tokens) for one in promised)} ended ones"
        )
        for loss in self.losses:
            self.note(f"LOST: {loss}")

    def check_one(self, client):
        from tests.cluster.clients import GaveUp

        try:
            client.check_all()
        except GaveUp:
            pass

    def lost_rows(self):
        """What the database itself knows less of than was answered."""
        there = {
            str(id): (generation, revoked is not None)
            for id, generation, revoked in self.ask("SELECT id, generation, revoked_at FROM refresh_tokens")
        }
        api_tokens = {str(id): revoked is not None for id, revoked in self.ask("SELECT id, revoked_at FROM api_tokens")}
        for client in self.clients:
            promised = client.promised
            for id, promised_generation in promised.generations.items():
                generation, ended = there.get(id, (-1, True))
                if generation < promised_generation or ended:
                    yield f"sign-in {id} is at {generation} (ended: {ended}); answered was {promised_generation}"
            for other in promised.ended:
                if not there.get(other.id, (-1, False))[1]:
                    yield f"sign-in {other.id} was ended, and lives"
            for id in promised.api_tokens:
                if api_tokens.get(id, True):
                    yield f"API token {id} was made, and is not there or has ended"
            for id in promised.ended_api_tokens:
                if not api_tokens.get(id, False):
                    yield f"API token {id} was ended, and is not there or lives"

    def alarms(self):
        for kind, at in self.ask("SELECT kind, at FROM events WHERE outcome = 'alarm'"):
            yield f"the event {kind} at {at}"

    def failures(self):
        for server in self.servers:
            for line in server.log.read_text(errors="replace").splitlines():
                if "Traceback" in line or "failed" in line or "WORKER TIMEOUT" in line:
                    yield f"{server.log.name}: {line}"

    def ask(self, statement):
        return self.cluster.ask(statement, "authsvc")


def told(answers):
    """Counts of answers by kind."""
    by_kind = Counter()
    for (what, came), number in answers.items():
        kind = f"refused as it must be ({came})" if "ended" in what and came.startswith("401") else came
        by_kind[kind] += number
    return ", ".join(f"{number} × {kind}" for kind, number in sorted(by_kind.items()))
