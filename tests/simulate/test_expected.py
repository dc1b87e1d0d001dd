"""The results that a server should show for a truth."""

from __future__ import annotations

from typing import Any

from grapevine.simulate.expected import ExpectedResults
from grapevine.simulate.parameters import Parameters
from grapevine.simulate.truth import Truth
from grapevine.simulate.world import World


def test_what_a_server_ought_to_conclude() -> None:
    truth = Truth(World(1, Parameters()).truth.play)
    world = World(9, Parameters(visits=30))
    list(world.requests())
    template = world.truth.visits[0]

    def add(**facts: Any) -> None:
        fields = {name: getattr(template, name) for name in template.__struct_fields__}
        fields |= {
            "number": len(truth.visits),
            "way": "share",
            "source": "direct-deep",
            "app": None,
            "opted_out": False,
        }
        truth.visits.append(type(template)(**fields | facts))

    came = {"channel": "copy", "n": 0}
    add()
    add(parent=0, token="kept", depth=1, **came)
    add(parent=1, token="kept", depth=1, own=True, **came)
    add(parent=2, token="kept", depth=2, **came)
    add(parent=0, token="stripped", depth=1, **came)
    add(parent=4, token="kept", depth=2, **came)
    add(parent=0, token="damaged", depth=1, **came)
    add(parent=0, token="kept", depth=1, opted_out=True, **came)
    add(parent=0, token="kept", human=False, robot="replay", **came)
    expected = ExpectedResults(truth)
    seen = {number: (one.parent and one.parent.number, one.depth, one.root) for number, one in expected.found.items()}
    assert seen == {
        0: (None, 0, 0), 1: (0, 1, 0), 2: (1, 1, 0), 3: (2, 2, 0), 4: (None, 0, 4), 5: (4, 1, 4), 6: (None, 0, 6),
    }  # fmt: skip
    assert expected.cascades == {0: (3, 2), 4: (2, 1)}
    assert (expected.numbers["visits"], expected.numbers["returns"], expected.numbers["self_returns"]) == (8, 3, 1)
    assert expected.numbers["k_factor"] == 3 / 7
    assert expected.parts["source"] == {"direct-deep": 4, "share": 4}
