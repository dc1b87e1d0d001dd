"""``grapevine mcp``: the numbers of a site as read-only tools for an assistant, by the Model Context Protocol.

    assistant ──standard input──▶ server ──▶ tools ──▶ questions ──HTTP, read_only──▶ a Grapevine server
        ◀──────standard output── results ◀── marking (closed_texts, untrusted_text) ◀──── structs

The package is called ``mcp_server`` because the SDK, which only ``server`` imports, is called ``mcp``.
"""
