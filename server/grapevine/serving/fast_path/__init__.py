"""uvicorn's HTTP protocol extended so that collect calls and short links skip ASGI."""
