"""The calls about receipts of conversions; see ``groups``."""

from __future__ import annotations

from grapevine.client.call import Call, Group, Way, answer, call
from grapevine.receipts.conversion_receipt import ConversionReceipt


class ReceiptsGroup(Group[Way]):
    """Signed receipts of conversions. The server needs the extra ``signatures``."""

    @call("GET", "/v1/receipts/{conversion}")
    def get(self, conversion: str) -> Call[ConversionReceipt]:
        """Returns the receipt of a conversion, and the revocations of earlier ones.

        ``document`` of the result is what you hand on; only ``sharers`` say whom a pseudonym stands for.
        """
        return Call(read=answer(ConversionReceipt), path={"conversion": conversion})

    @call("GET", "/v1/receipts")
    def find(self, goal: str, id: str | int) -> Call[ConversionReceipt]:  # noqa: A002 - its name in the API
        """Returns the same for the conversion that was reported with this goal and id."""
        return Call(read=answer(ConversionReceipt), query={"goal": goal, "id": str(id)})
