"""Read-side questions of the API, the dashboard and the command line, each answered with the contract's structs.

Times come in as UTC milliseconds and go out as RFC 3339 texts.
"""
