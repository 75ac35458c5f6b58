"""`token`."""

from typing import Annotated

import typer

from copyhold.actions import accounts
from copyhold.domain.words import plain
from copyhold.entrypoints.cli import door as doors

app = typer.Typer(add_completion=False, no_args_is_help=True)
token = typer.Typer(add_completion=False, no_args_is_help=True, help="Tokens that speak for a person.")
app.add_typer(token, name="token")


@token.command()
def add(
    context: typer.Context,
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="For whom the token speaks.")],
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
    days: Annotated[int, typer.Option(help="How long it lasts.")] = 90,
) -> None:
    """Issue a token; it is shown this once. Put it into COPYHOLD_TOKEN to act as the person."""
    door = doors.of(context)
    issued = accounts.issue_token(door.occasion(), email, label, days)
    secret = issued.secret.reveal().decode()
    door.terminal.answer({"token": secret, "id": issued.token.id, "expires_at": plain(issued.token.expires_at)}, secret)


@token.command("list")
def list_tokens(context: typer.Context) -> None:
    """List tokens, newest first; none shows its secret."""
    door = doors.of(context)
    known = accounts.tokens(door.occasion())
    rows = [(each.shown + "…", each.label, each.expires_at.date(), each.revoked_at or "", each.id) for each in known]
    door.terminal.table({"tokens": plain(known)}, ("token", "label", "until", "revoked", "id"), rows)


@token.command()
def revoke(context: typer.Context, token_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """End a token at once."""
    door = doors.of(context)
    ended = accounts.revoke_token(door.occasion(), token_id)
    door.terminal.answer({"token": plain(ended)}, f"{ended.id} speaks for nobody any more.")
