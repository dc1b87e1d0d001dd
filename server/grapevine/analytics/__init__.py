"""The read side of the API, the dashboard and the command line: each module returns the contract's structs.

Times come in as UTC milliseconds and go out as RFC 3339 texts.
"""
