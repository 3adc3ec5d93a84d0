"""The `ledger` command: what it can be asked, and how every failure becomes a sentence and an exit code."""

import os
import sys
from typing import Annotated, Any

import psycopg
import psycopg_pool
import typer
from pydantic import ValidationError

from api.command_line.commands import OnDemand
from api.command_line.database import works_on_backtest, works_on_demo
from api.command_line.looking import goes_unlogged, stated_purpose
from api.command_line.screen import Exit, note
from ledger.errors import Malformed, Refusal, Unavailable
from ledger.misfits import misfits
from ledger.postgres import CannotStart, MigrationRefused
from ledger.privacy_key import PrivacyRefused
from ledger.sealing import SealBroken
from ledger.signing import SigningRefused
from projections.runner import ProjectionFailed

INTERRUPTED = 130
PIPE_CLOSED = 141
"""As a program ends that is killed by SIGPIPE: what should have been printed was not."""


class Piped(OnDemand):
    """Commands loaded on demand, which end quietly where whoever reads what they print has seen enough."""

    def invoke(self, ctx: Any) -> Any:
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()
        except BrokenPipeError:
            # What is left to be written goes nowhere, or the interpreter would complain when it ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(PIPE_CLOSED)


application = typer.Typer(
    name="ledger",
    cls=Piped,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help=(
        "The margin ledger. Uses the PostgreSQL server that LEDGER_DATABASE_URL names, else an embedded one in "
        "LEDGER_HOME. Ends with 0 if all is well, 1 if something differs or was refused, 2 if the question cannot be "
        "understood, 3 if the database cannot be reached."
    ),
)


@application.callback()
def options(
    demo: Annotated[bool, typer.Option("--demo", help="Work on the demo's database instead of the ledger's.")] = False,
    backtest: Annotated[bool, typer.Option("--backtest", help="Work on the backtest that was kept last.")] = False,
    purpose: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Why customers' data is read; the log of reads keeps it.")
    ] = None,
    unlogged: Annotated[
        bool, typer.Option("--unlogged", help="Read from a read-only replica, where reads cannot be logged.")
    ] = False,
) -> None:
    """Options of all commands."""
    works_on_demo.set(demo)
    works_on_backtest.set(backtest)
    stated_purpose.set(purpose)
    goes_unlogged.set(unlogged)


def main() -> None:
    """Runs the command line and exits."""
    try:
        application()
    except (psycopg.OperationalError, psycopg_pool.PoolTimeout, CannotStart, Unavailable) as error:
        end(f"the database cannot be reached: {str(error).strip()}", Exit.UNREACHABLE)
    except ValidationError as error:
        # Commands are read elsewhere: what is wrong here is a setting in the environment.
        found = [{**one, "loc": (f"LEDGER_{one['loc'][0]}".upper(),)} for one in error.errors()]
        end(f"a setting cannot be understood: {misfits(found)}", Exit.USAGE)
    except Malformed as refusal:
        end(refusal.detail, Exit.USAGE)
    except Refusal as refusal:
        end(f"{refusal.code}: {refusal.detail}", Exit.DIFFERENCE)
    except (MigrationRefused, PrivacyRefused, ProjectionFailed, SealBroken, SigningRefused) as error:
        end(str(error), Exit.DIFFERENCE)
    except KeyboardInterrupt:
        end("interrupted", INTERRUPTED)


def end(text: str, code: int) -> None:
    """Says why, and exits."""
    note(text)
    sys.exit(code)


if __name__ == "__main__":
    main()
