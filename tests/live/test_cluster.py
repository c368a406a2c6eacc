"""A PostgreSQL cluster that loses its primary, as `make cluster` tries it: nothing that was answered is lost."""

import pytest

from tests.cluster.trial import Trial

pytestmark = pytest.mark.xdist_group("cluster")


def test_the_death_of_the_primary_and_a_switchover_lose_nothing_and_sign_nobody_out():
    told = []
    with Trial(tell=told.append) as trial:
        trial.round()
    assert trial.losses == [], "\n".join(told)
    assert all(client.promised.ended and client.promised.refreshes for client in trial.clients)
