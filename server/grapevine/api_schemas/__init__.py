"""Structs of API requests and responses that belong to no lower layer. They import no web framework: clients use them.

Every public field of a struct that the API takes or returns has a description: a string below the field, as below a
constant. ``web/openapi`` reads it from the source and puts it into the schema that msgspec makes of the struct.

    class Point(msgspec.Struct, frozen=True):
        \"""One interval of a series.\"""

        at: str
        \"""When the interval begins.\"""
        value: Annotated[int, msgspec.Meta(examples=[3])]
        \"""The number that belongs to it.\"""

Bounds and examples stand in ``msgspec.Meta``; a closed set of names in ``extra_json_schema={"enum": [...]}`` where a
``Literal`` would repeat it. The same rule holds for structs of lower layers that the API shows (``analytics/``,
``collect/schemas.py``, ``webhooks/endpoints.py``).
"""
