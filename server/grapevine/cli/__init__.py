"""The command line: one module a command or group of commands, each a thin layer over the server's own functions."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence

from grapevine.cli.context import CommandContext
from grapevine.cli.encoding import write_plainly
from grapevine.cli.parser import build_parser
from grapevine.config.private_files import advice
from grapevine.errors import GrapevineError, Invalid, SettingError
from grapevine.mcp_server.access import refuse_keys
from grapevine.serving.runtime import loop_factory

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status: 0 ok, 1 failed, 2 wrong usage or a wrong setting."""
    for stream in (sys.stdout, sys.stderr):
        write_plainly(stream)
    context = CommandContext(os.environ, None)
    try:
        refuse_keys(sys.argv[1:] if arguments is None else arguments)
        parsed = build_parser().parse_args(arguments)
        context = CommandContext(os.environ, parsed.config)
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            status = runner.run(parsed.run(context, parsed))
        sys.stdout.flush()
        return int(status)
    except (SettingError, Invalid) as error:
        context.complain(str(error))
        return USAGE
    except GrapevineError as error:
        context.complain(str(error))
        return FAILED
    except PermissionError as error:
        context.complain(f"cannot use {error.filename or 'a file'}: {error.strerror}{advice(error)}")
        return FAILED
    except BrokenPipeError:  # the reader of the output closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
