"""The floors of the house: imports go down only, and some things are known in one place alone."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "authsvc"
# From the top. What lies in authsvc/ itself is a leaf; authsvc/__init__.py wires all of them together.
FLOORS = (("blueprints", "dialects", "console", "cli"), ("credentials",), ("services",), ("models",), ("verifier",))
LEAF = len(FLOORS)
BANNED_NAMES = {"utils", "helpers", "common", "misc", "manager"}

MODULES = sorted(PACKAGE.rglob("*.py"))
ALL = sorted([*MODULES, *(ROOT / "config").rglob("*.py"), *(ROOT / "migrations").rglob("*.py"), ROOT / "wsgi.py"])
CLOCKS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns"}
CHANCE = {"secrets", "random", "uuid", "uuid_utils", "os.urandom", "os.getrandom"}
ENVIRONMENT = {"os.environ", "os.environb", "os.getenv", "os.putenv"}


def name_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def tree_of(path):
    return ast.parse(path.read_text(), str(path))


KNOWN = {name_of(path) for path in MODULES}


def imported(path):
    """Every module or member that a file imports, wherever in it, by its full name."""
    here = name_of(path).split(".")
    package = here if path.name == "__init__.py" else here[:-1]
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*start, *([node.module] if node.module else [])])
            yield from (f"{source}.{alias.name}" for alias in node.names)


def module_meant(name):
    """The longest beginning of a name that is a module of ours."""
    while name not in KNOWN:
        name, _, _ = name.rpartition(".")
        if not name:
            return None
    return name


def floor_of(module):
    """0 is the top one of FLOORS; the package itself is above all."""
    _, _, rest = module.partition(".")
    folder = rest.partition(".")[0]
    if not rest:
        return -1
    return next((number for number, names in enumerate(FLOORS) if folder in names), LEAF)


def dotted(node):
    """`a.b.c` as it is written, "" for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else node.attr
    return ""


def mentions(path, names):
    """Those of the names that a file imports or says, however it came by them."""
    found = {name for name in imported(path) if any(name == one or name.startswith(f"{one}.") for one in names)}
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Attribute):
            said = dotted(node)
            found |= {one for one in names if said == one or said.endswith(f".{one}")}
    return found


def files_that_mention(names, paths):
    return {str(path.relative_to(ROOT)) for path in paths if mentions(path, names)}


def ids(paths):
    return [str(path.relative_to(ROOT)) for path in paths]


@pytest.mark.parametrize("path", MODULES, ids=ids(MODULES))
def test_imports_go_down_only(path):
    here = floor_of(name_of(path))
    for name in imported(path):
        meant = module_meant(name)
        if meant is not None:
            assert floor_of(meant) >= here, f"{name_of(path)} imports {name}, which lies above it"


def test_every_folder_has_a_floor():
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert folders <= {name for names in FLOORS for name in names}


def test_the_service_does_not_know_its_tests_migrations_or_entry():
    for path in MODULES:
        outside = {name.partition(".")[0] for name in imported(path)} & {"tests", "wsgi", "migrations"}
        assert not outside, path


def test_only_the_entry_and_init_app_ask_config_for_anything():
    """Others name its class for their types, which costs no import at run time."""
    for path in MODULES:
        tree = tree_of(path)
        for_types = {
            inner
            for node in ast.walk(tree)
            if isinstance(node, ast.If) and dotted(node.test) == "TYPE_CHECKING"
            for inner in ast.walk(node)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "config":
                assert node in for_types or path == PACKAGE / "__init__.py", path


def test_only_the_clock_knows_the_time():
    assert files_that_mention(CLOCKS, [*MODULES, *(ROOT / "config").rglob("*.py")]) == {"authsvc/clock.py"}


def test_only_one_module_knows_randomness():
    """The development secret is config's own: it is made before there is a service."""
    paths = [*MODULES, *(ROOT / "config").rglob("*.py"), ROOT / "wsgi.py"]
    assert files_that_mention(CHANCE, paths) == {"authsvc/opaque.py", "config/environment.py"}


def test_only_config_and_the_entry_know_the_environment():
    found = files_that_mention(ENVIRONMENT, ALL)
    assert {name for name in found if not name.startswith("config/") and name != "wsgi.py"} == set()


@pytest.mark.parametrize("folder", ["services", "models"])
def test_services_and_models_know_no_http(folder):
    for path in (PACKAGE / folder).rglob("*.py"):
        names = set(imported(path))
        assert {name for name in names if name.startswith("flask.")} <= {"flask.current_app"}, path
        assert not {name for name in names if name.partition(".")[0] == "werkzeug"}, path
        assert not {name for name in names if name.partition(".")[0] == "flask_jwt_extended"}, path


@pytest.mark.parametrize("folder", ["blueprints", "dialects", "console", "credentials"])
def test_views_and_credentials_do_not_commit(folder):
    for path in (PACKAGE / folder).rglob("*.py"):
        for node in ast.walk(tree_of(path)):
            assert not (isinstance(node, ast.Attribute) and node.attr == "commit"), f"{path}:{node.lineno}"
        assert "authsvc.models.engine.transaction" not in set(imported(path)), path


def test_models_take_now_as_an_argument():
    for path in (PACKAGE / "models").rglob("*.py"):
        assert "authsvc.clock" not in {module_meant(name) for name in imported(path)}, path


@pytest.mark.parametrize("path", ALL, ids=ids(ALL))
def test_every_module_says_what_it_is(path):
    """In a docstring of its own or, where a module is its tables and no more, in theirs."""
    tree = tree_of(path)
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    assert ast.get_docstring(tree) or (classes and all(map(ast.get_docstring, classes)))


def test_no_module_is_named_for_nothing():
    for path in [*ALL, *(ROOT / "tests").rglob("*.py")]:
        words = set(path.stem.split("_")) | set(path.relative_to(ROOT).parts[:-1])
        assert not words & BANNED_NAMES, path


def test_the_rules_would_catch_what_they_forbid(tmp_path, monkeypatch):
    """A file that breaks every rule, as a test of this test."""
    source = """
from ..credentials import guard
def later():
    import authsvc.blueprints.auth
    from os import environ
    import uuid
    return datetime.datetime.now(), os.urandom(3)
"""
    imagined = tmp_path / "authsvc" / "services" / "imagined.py"
    imagined.parent.mkdir(parents=True)
    imagined.write_text(source)
    monkeypatch.setattr("tests.house.test_layers.ROOT", tmp_path)
    names = set(imported(imagined))
    assert {"authsvc.credentials.guard", "authsvc.blueprints.auth", "os.environ", "uuid"} <= names
    assert {floor_of(module_meant(name)) for name in names if module_meant(name)} == {0, 1}
    assert floor_of("authsvc.services.imagined") == 2
    assert mentions(imagined, CLOCKS) == {"datetime.now"}
    assert mentions(imagined, CHANCE) == {"uuid", "os.urandom"}
    assert mentions(imagined, ENVIRONMENT) == {"os.environ"}
