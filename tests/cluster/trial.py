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

WARM = 1.0  # seconds of load before and after something happens
SETTINGS = {"REFRESH_LEEWAY": "0"}  # every refresh is a step, and a lost one heals by its attempt key alone


class Trial:
    """`tell` is given every sentence about what happens; `losses` are the promises that were broken."""

    def __init__(self, *, servers=2, clients=6, tell=None):
        self.tell = tell or (lambda _: None)
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

    def __exit__(self, kind, *_):
        if kind is not None:
            self.note(f"it broke off; {self.members()}")
            for member in self.cluster.members.values():
                self.tell(f"{member.name} said last:\n{member.said()[-2000:]}")
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
        self.rest()
        for client in self.clients:
            client.device.connection.close()

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
            self.note(f"everybody refreshes again; the first one did {first - killed:.2f} s after the kill")
            self.tell_gaps(before)
        self.cluster.await_synchronous(2)
        self.note(self.members())
        return primary

    def freeze_the_primary(self):
        """It hangs, so that no connection to it ends by itself; and wakes up when another has taken its place."""
        with self.load("a primary that hung"):
            primary = within(PATIENCE, "a primary", self.cluster.primary)
            before = time.monotonic()
            primary.freeze()
            frozen = time.monotonic()
            self.note(f"{primary.name}, the primary, hangs: SIGSTOP")
            self.await_all(frozen)
            first = min(answered for asked, answered in self.refreshes() if asked > frozen)
            self.note(f"everybody refreshes again; the first one did {first - frozen:.2f} s after that")
            primary.thaw()
            self.note(f"{primary.name} wakes up")
            within(PATIENCE, f"{primary.name} follows", primary.follows)
            self.cluster.await_synchronous(3)
            self.tell_gaps(before)
        self.note(self.members())

    def switch_over(self):
        with self.load("a switchover"):
            before = time.monotonic()
            old, new = self.cluster.switch_over()
            self.note(f"switched over from {old.name} to {new.name} in {time.monotonic() - before:.2f} s")
            self.await_all(time.monotonic())
            self.tell_gaps(before)
        self.cluster.await_synchronous(2)
        self.note(self.members())

    def bring_back(self, dead):
        with self.load("the return of the dead"):
            before = time.monotonic()
            said = len(dead.said())
            dead.start()
            self.cluster.await_synchronous(3)
            how = "with pg_rewind" if "running pg_rewind" in dead.said()[said:] else "without pg_rewind"
            self.note(f"{dead.name} is a standby again after {time.monotonic() - before:.2f} s, {how}")
            self.tell_gaps(before)
        self.note(self.members())

    @contextmanager
    def load(self, what):
        """Clients at work before it, while it happens and after it; then all that they were promised is looked at."""
        counted = self.answers()
        for client in self.clients:
            client.go(client.live)
        time.sleep(WARM)
        try:
            yield
            time.sleep(WARM)
        finally:
            self.rest()
        self.note("answers: " + by_kind(self.answers() - counted))
        self.check(what)

    def rest(self):
        for client in self.clients:
            client.resting.set()
        for client in self.clients:
            client.rest()

    def await_all(self, since):
        """Every client was answered a refresh that it asked for after this moment. Or something is lost already."""

        def again():
            all_promised = [client.promised for client in self.clients]
            return any(one.wrong for one in all_promised) or all(
                one.refreshes[-1][0] > since for one in all_promised if one.refreshes
            )

        within(PATIENCE + 10, "everybody refreshes again", again)

    # What came of it

    def refreshes(self):
        return itertools.chain.from_iterable(client.promised.refreshes for client in self.clients)

    def answers(self):
        return sum((client.promised.answers for client in self.clients), Counter())

    def tell_gaps(self, since):
        gaps = ", ".join(f"{gap:.2f}" for gap in sorted(client.longest_gap(since) for client in self.clients))
        slowest = max(client.promised.slowest for client in self.clients)
        self.note(f"longest time without a refresh, by client: {gaps} s; the slowest answer so far: {slowest:.2f} s")

    def check(self, what):
        """All that was promised to any client. What is not true any more is a loss."""
        for client in self.clients:
            client.go(client.check)
        self.rest()
        promised = [client.promised for client in self.clients]
        wrong = [sentence for one in promised for sentence in one.wrong]
        self.losses = [*wrong, *self.lost_rows(), *self.alarms(), *self.failures()]
        self.note(
            f"after {what}: {len(self.losses)} losses. Looked at:"
            f" {sum(len(one.generations) for one in promised)} sign-ins that live,"
            f" {sum(len(one.ended) for one in promised)} ended ones,"
            f" {sum(len(one.api_tokens) for one in promised)} API tokens that live,"
            f" {sum(len(one.ended_api_tokens) for one in promised)} ended ones"
        )
        for loss in self.losses:
            self.note(f"LOST: {loss}")

    def lost_rows(self):
        """What the database itself knows less of than was answered."""
        statement = "SELECT id, generation, revoked_at IS NOT NULL FROM refresh_tokens"
        sign_ins = {str(name): row for name, *row in self.ask(statement)}
        api_tokens = {str(name): ended for name, ended in self.ask("SELECT id, revoked_at IS NOT NULL FROM api_tokens")}
        for promised in (client.promised for client in self.clients):
            for name, answered in promised.generations.items():
                generation, ended = sign_ins.get(name, (None, True))
                if ended or generation < answered:
                    yield f"sign-in {name} was answered {answered}; it is at {generation}, ended: {ended}"
            for other in promised.ended:
                if not sign_ins.get(other.id, (None, False))[1]:
                    yield f"sign-in {other.id} was ended, and is not"
            for name in promised.api_tokens:
                if api_tokens.get(name, True):
                    yield f"API token {name} was made, and is not there or has ended"
            for name in promised.ended_api_tokens:
                if not api_tokens.get(name, False):
                    yield f"API token {name} was ended, and is not"

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


def by_kind(answers):
    kinds = Counter()
    for (what, came), number in answers.items():
        refused = "ended" in what and came.startswith("401")
        kinds[f"{came}, as it must be" if refused else came] += number
    return ", ".join(f"{number} × {kind}" for kind, number in sorted(kinds.items()))
