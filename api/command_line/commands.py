"""The commands of the command line by name, each loaded when it is asked for."""

from collections import UserDict
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

# Where each is defined, in the order of `ledger --help`; a group of commands is a Typer of its own.
COMMANDS = {
    "serve": "serving:serve",
    "api": "serving:api",
    "project": "serving:project",
    "risk": "serving:risk",
    "migrate": "migrating:migrate",
    "status": "status:status",
    "import": "importing:import_file",
    "import-log": "importing_log:import_log",
    "statement": "stating:statement",
    "import-statement": "importing_statement:import_statement",
    "reconcile": "reconciling:reconcile",
    "diff": "comparing:diff",
    "replay": "replaying:replay",
    "explain": "explaining:explain",
    "stress": "stressing:stress",
    "exposure": "exposing:exposure",
    "reads": "looking:reads",
    "verify": "verifying:verify",
    "rebuild": "rebuilding:rebuild",
    "seal": "sealing:seal",
    "checkpoint": "sealing:checkpoint",
    "seal-key": "sealing:seal_key",
    "liabilities": "liabilities:liabilities",
    "erase": "erasing:erase",
    "demo": "demonstrating:demo",
    "backtest": "backtesting:backtest",
    "keys": "keys:keys",
    "export": "exporting:export",
    "privacy": "erasing:privacy",
}


class Commands(UserDict[str, Any]):
    """A command, or a group of commands, by its name: kept as the place that it is loaded from when it is taken out."""

    def __getitem__(self, name: str) -> TyperCommand | TyperGroup:
        module, word = self.data[name].split(":")
        return made(name, getattr(import_module(f"api.command_line.{module}"), word))


class OnDemand(TyperGroup):
    """All commands, of which only the one that is asked for is loaded: together they take twice as long to start."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = Commands(COMMANDS)


def made(name: str, found: Any) -> TyperCommand | TyperGroup:
    """The command that a function, or a Typer with several, is on the command line."""
    holder = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    if isinstance(found, typer.Typer):
        holder.add_typer(found, name=name)
    else:
        holder.command(name)(found)
    command = get_group(holder).commands[name]
    assert isinstance(command, TyperCommand | TyperGroup)
    return command
