"""What is handed out: small, complete, typed; and the module for low-code tools."""

import gzip
import json
import re
import subprocess

from tests.browser.tabs import CLIENT


def test_the_client_is_small():
    source = (CLIENT / "index.js").read_text()
    assert len(gzip.compress(source.encode(), mtime=0)) < 4000, "as it is written, comments and all"
    assert "import " not in source


def test_the_package_has_what_it_promises(tmp_path):
    command = ["npm", "pack", "--dry-run", "--json", "--ignore-scripts", f"--cache={tmp_path}"]
    done = subprocess.run(command, cwd=CLIENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    [packed] = said.values() if isinstance(said, dict) else said
    there = {file["path"] for file in packed["files"]}
    described = json.loads((CLIENT / "package.json").read_text())
    assert there == {*described["files"], "package.json", "README.md", "LICENSE"}
    pointed = re.findall(r'"\./([\w.-]+)"', json.dumps(list(described["exports"].values())))
    assert set(pointed) <= there
    assert (CLIENT / "LICENSE").read_text() == (CLIENT.parents[1] / "LICENSE").read_text()


def test_the_types_name_what_is_there(open_tab):
    tab = open_tab()
    there = tab.page.evaluate("import('./client/index.js').then(found => [Object.keys(found), Object.keys(client)])")
    types = (CLIENT / "index.d.ts").read_text()
    exported, members = (set(names) for names in there)
    assert set(re.findall(r"^export (?:class|function) (\w+)", types, re.MULTILINE)) == exported
    [client] = re.findall(r"^export interface Client \{\n(.*?)^\}", types, re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"^  (?:readonly )?(\w+)[(:]", client, re.MULTILINE)) == members
    [options] = re.findall(r"^export interface Options \{\n(.*?)^\}", types, re.MULTILINE | re.DOTALL)
    [taken] = re.findall(r"createClient\(\{\n(.*?)\n\}", (CLIENT / "index.js").read_text(), re.DOTALL)
    assert re.findall(r"^  (\w+)\?:", options, re.MULTILINE) == re.findall(r"^  (\w+)", taken, re.MULTILINE)


def test_a_low_code_tool_keeps_its_tokens_and_heals_a_lost_answer(open_strict_tab, strict, strict_office):
    """At the server without a leeway; the tool's store is an object that is written a moment later."""
    application = strict_office.add_application(transport="body")
    tab = open_strict_tab("body")
    tab.page.evaluate(
        """async ([url, applicationId]) => {
            const {lowCode} = await import("./client/low-code.js");
            window.kept = {};
            const storeValue = async (name, value) => { await null; kept = {...kept, [name]: value}; };
            window.load = () => window.tool = lowCode({url, applicationId, store: () => kept, storeValue});
            load();
        }""",
        [strict.url, application],
    )
    account = strict_office.add_account()
    assert tab.run("tool.refreshAccessToken()") is None
    first = tab.run("tool.signIn(argument)", account)
    assert tab.page.evaluate("kept.access_token") == first == tab.run("tool.refreshAccessToken()")
    tab.later(86_400)
    tab.lose_next_answer()
    assert tab.run("tool.refreshAccessToken().catch(error => error.message)") == "lost"
    tab.page.evaluate("load()")
    healed = tab.run("Promise.all([tool.refreshAccessToken(), tool.refreshAccessToken()])")
    assert healed[0] == healed[1] != first
    tab.later(86_400)
    assert tab.run("tool.refreshAccessToken()") != healed[0]
    assert strict_office.alarms(account) == []
    tab.run("tool.signOut()")
    assert tab.page.evaluate("Object.values(kept).some(Boolean)") is False
    spent = {"refresh_token": "spent", "access_token": "old"}
    tab.page.evaluate("spent => { kept = spent; }", spent)
    tab.page.route("**/jwt/refresh", lambda route: route.fulfill(status=503, body="{}"))
    assert tab.run("tool.refreshAccessToken().catch(error => error.status)") == 503
    assert tab.page.evaluate("kept.refresh_token") == "spent"
    tab.page.unroute("**/jwt/refresh")
    assert tab.run("tool.refreshAccessToken()") is None
    assert tab.page.evaluate("Object.values(kept).some(Boolean)") is False
