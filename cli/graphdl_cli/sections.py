"""Help in sections: a command with many options lists them under headings."""

from __future__ import annotations

from typing import Any

import click


class Section(click.Option):
    """An option that says in which section of the help it stands."""

    def __init__(self, *words: Any, section: str = "", **settings: Any) -> None:
        super().__init__(*words, **settings)
        self.section = section


class Sectioned(click.Command):
    """A command whose help lists its options under their sections, in the order of first mention."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The sections, each as a table; what has none comes last."""
        tables: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            row = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if row is not None:
                tables.setdefault(getattr(parameter, "section", "") or "Options", []).append(row)
        tables["Options"] = tables.pop("Options", [])
        for heading, rows in tables.items():
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)
