"""What every refusal must look like, whoever gives it."""


def code(answer):
    return answer.json["error"]["code"]


def refused(answer, status, code, fields=None):
    """The answer is this refusal, in the one shape that refusals have; `fields` are those that it must name."""
    assert (answer.status_code, answer.json and answer.json["error"]["code"]) == (status, code), answer.text
    assert answer.mimetype == "application/json"
    assert set(answer.json) == {"success", "message", "data", "error"}
    assert (answer.json["success"], answer.json["data"]) == (False, None)
    assert answer.json["message"]
    error = answer.json["error"]
    assert error["requestId"] == answer.headers["X-Request-Id"]
    assert set(error) - {"fields"} == {"code", "requestId"}
    if fields is not None:
        assert set(error["fields"]) == set(fields)
    for sentences in error.get("fields", {}).values():
        assert sentences
        assert all(isinstance(sentence, str) for sentence in sentences)
    assert ("WWW-Authenticate" in answer.headers) == (status == 401 or code == "permission_denied")
    assert ("Retry-After" in answer.headers) == (status in (429, 503))
    assert int(answer.headers.get("Retry-After", 1)) >= 1
    assert ("Allow" in answer.headers) == (status == 405)
    assert answer.headers["Cache-Control"] in ("no-store", "no-store, private")
    assert not answer.headers.getlist("Set-Cookie")
    return answer


def lasting(answer):
    """All of an answer but what is different each time: to compare two that must be the same."""
    headers = sorted((name, value) for name, value in answer.headers if name not in ("X-Request-Id", "Date"))
    body = answer.text.replace(answer.headers["X-Request-Id"], "…")
    return answer.status_code, headers, body
