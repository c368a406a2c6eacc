import pytest

from tests.security.forgery import ACCESS, KINDS, REFRESH, REFUSED, Forger, verdict


@pytest.fixture
def forger(device):
    return Forger(device)


@pytest.fixture
def row(device, rows):
    """The sign-in as the database has it."""

    def read():
        return rows(device.app, "SELECT * FROM refresh_tokens WHERE id = :id", id=device.refresh_token_id)

    return read


@pytest.fixture
def none_passes(forger, row):
    """Show every forgery that `forge(kind)` makes at its door, see that nothing came of it and that the real ones work.

    Introspection, which is no door and knows every kind, finds each of them `worthless` too.

    Once in a test: the real refresh token is spent by it.
    """

    def check(forge, kinds=KINDS, worthless=True):
        before = row()
        shown = 0
        for kind in kinds:
            for name, token in forge(kind).items():
                assert verdict(forger.present(kind, token)) == REFUSED, (kind, name)
                assert forger.worth(token)["active"] is not worthless, (kind, name)
                shown += 1
        assert shown
        assert row() == before
        assert forger.worth(forger.genuine[ACCESS])["active"]
        assert forger.worth(forger.genuine[REFRESH])["active"]
        assert forger.present(ACCESS, forger.genuine[ACCESS]).status_code == 200
        assert forger.present(REFRESH, forger.genuine[REFRESH]).status_code == 200

    return check
