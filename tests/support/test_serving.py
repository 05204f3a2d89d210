"""Servers in processes of their own: they start, share a database, their answers are counted."""

import pytest

from tests.support.serving import Serve


@pytest.mark.every_database
def test_two_nodes_share_one_database(serve: Serve) -> None:
    serving = serve(nodes=2)
    deployment = serving.deployment
    tokens = deployment.client("webapp").sign_in(deployment.browserless(), "openid notes:read")
    api = deployment.resource_server()
    assert [api.active(tokens["access_token"]) for _ in range(4)] == [True] * 4
    assert len(serving.answered) == 2
    assert all(node.workers() for node in serving.nodes)


def test_one_node_that_gave_all_answers_is_noticed(serve: Serve) -> None:
    serving = serve(nodes=2)
    deployment = serving.deployment
    deployment.client("service").credentials()
    silent = serving.nodes[1].port
    count = serving.answered.pop(silent)
    with pytest.raises(AssertionError, match=f"none from .*{silent}"):
        serving.assert_spread()
    serving.answered[silent] = count


def test_commands_meet_the_same_database(serve: Serve) -> None:
    assert "ada@example.test" in serve().command("users", "list", "--json")
