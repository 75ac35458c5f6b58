"""`agreement`, `transfer` and `document`."""

import io
from pathlib import Path
from typing import Annotated

import typer

from copyhold.actions import agreements, custody
from copyhold.actions.agreements import NewRoute, Offer
from copyhold.domain.errors import InvalidInputError
from copyhold.domain.moments import parse
from copyhold.domain.words import plain
from copyhold.entrypoints.cli import door as doors
from copyhold.entrypoints.cli.access import kept
from copyhold.entrypoints.replies.agreements import odrl
from copyhold.rules.agreements import forms

app = typer.Typer(add_completion=False, no_args_is_help=True)
agreement = typer.Typer(add_completion=False, no_args_is_help=True, help="Agreements that act.")
transfer = typer.Typer(add_completion=False, no_args_is_help=True, help="Routes by which data may pass over borders.")
document = typer.Typer(add_completion=False, no_args_is_help=True, help="Documents that decisions ask for.")
app.add_typer(agreement, name="agreement")
app.add_typer(transfer, name="transfer")
app.add_typer(document, name="document")

Id = Annotated[str, typer.Argument(metavar="ID")]


@agreement.command()
def offer(
    context: typer.Context,
    institution: Annotated[str, typer.Option(metavar="NAME", help="With whom.")],
    dataset: Annotated[str, typer.Option(metavar="NAME")],
    until: Annotated[str, typer.Option(metavar="DATE", help="Its end, exclusive.")],
    project: Annotated[str, typer.Option(metavar="NAME", help="For one project; without it, for all there.")] = "",
    form: Annotated[str, typer.Option(help="A form that ships.")] = "transfer",
    terms: Annotated[Path | None, typer.Option(metavar="TOML", help="Terms of your own; needs --text.")] = None,
    text: Annotated[Path | None, typer.Option(metavar="MD", help="The text of your own; needs --terms.")] = None,
    since: Annotated[str, typer.Option("--from", metavar="DATE", help="Its start; now without it.")] = "",
    supersedes: Annotated[str, typer.Option(metavar="ID", help="Whose place it takes once signed.")] = "",
    under: Annotated[str, typer.Option(metavar="ID", help="The agreement above a sub-recipient's.")] = "",
    out: Annotated[Path | None, typer.Option(metavar="MD", help="Write the text that is to be signed.")] = None,
) -> None:
    """Offer an agreement for signature: a form filled in, its text kept by its hash."""
    door = doors.of(context)
    occasion = door.occasion()
    chosen = _form(form, terms, text)
    from_at = parse(since, "--from") if since else occasion.at
    keeper = custody.show(occasion).name
    filled = forms.filled_in(chosen, keeper, institution, dataset, project, from_at, parse(until, "--until"))
    stored = door.home.outside.storage.put(io.BytesIO(filled.encode()))
    offered = agreements.offer(
        occasion,
        Offer(
            title=f"{chosen.title}, version {chosen.version}",
            institution=institution,
            dataset=dataset,
            terms=chosen.terms,
            text_sha256=stored,
            from_at=from_at,
            until=parse(until, "--until"),
            project=project or None,
            parent=under or None,
            supersedes=supersedes or None,
        ),
    )
    if out is not None:
        out.write_text(filled, encoding="utf-8")
    door.terminal.answer(
        {"agreement": plain(offered)},
        f"{offered.title} is offered as {offered.id}; the hash of its text is {stored}.",
        f"Each side signs with `copyhold agreement sign {offered.id} --for SIDE --text HASH`.",
    )


def _form(name: str, terms: Path | None, text: Path | None) -> forms.Form:
    if (terms is None) != (text is None):
        raise InvalidInputError("Terms of your own need both --terms and --text.")
    if terms is None or text is None:
        return forms.shipped(name)
    try:
        return forms.read(terms.read_text("utf-8"), text.read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        raise InvalidInputError("The terms or the text cannot be read as text in UTF-8; look at the files.") from None


@agreement.command()
def sign(
    context: typer.Context,
    agreement_id: Id,
    side: Annotated[str, typer.Option("--for", metavar="SIDE", help="custodian, institution or lead")],
    text: Annotated[str, typer.Option(metavar="SHA256", help="The hash of the text that you read.")],
    authority: Annotated[str, typer.Option(help="On what authority you sign.")] = "",
) -> None:
    """Sign for a side; the last signature puts the agreement in force."""
    door = doors.of(context)
    shown = agreements.sign(door.occasion(), agreement_id, side, text, authority)
    waits = ", ".join(one.value for one in shown.missing)
    door.terminal.answer(
        {"agreement": plain(shown)},
        f"Signed; it waits for the {waits}." if waits else "All have signed: the agreement is in force.",
    )


@agreement.command()
def show(
    context: typer.Context,
    agreement_id: Id,
    as_odrl: Annotated[bool, typer.Option("--odrl", help="As JSON-LD in the terms of ODRL.")] = False,
) -> None:
    """Show an agreement, who has signed it, and who has not."""
    door = doors.of(context)
    shown = agreements.show(door.occasion(), agreement_id)
    one = shown.agreement
    told = odrl(shown) if as_odrl else {"agreement": plain(shown)}
    door.terminal.answer(
        told,
        f"{one.title}: {one.state.value}, from {one.from_at.date()} until {one.until.date()}.",
        f"Text: {one.text_sha256}",
        *(f"  signed for the {each.side.value} on {each.signed_at.date()}" for each in shown.signatures),
        *(f"  waits for the {side.value}" for side in shown.missing),
        *(f"  forbids {each.value}" for each in one.terms.prohibitions),
        *(f"  asks to {each.obligation.value}: {each.evidence}" for each in one.terms.duties),
    )


@agreement.command("list")
def list_agreements(context: typer.Context) -> None:
    """List the agreements that you may see, newest first."""
    door = doors.of(context)
    page = agreements.listing(door.occasion())
    rows = [(each.title, each.state.value, each.until.date(), each.id) for each in page.items]
    door.terminal.table({"agreements": plain(page)}, ("agreement", "state", "until", "id"), rows)


@agreement.command()
def withdraw(context: typer.Context, agreement_id: Id, reason: Annotated[str, typer.Option()] = "") -> None:
    """Take back an offer before all have signed it."""
    door = doors.of(context)
    ended = agreements.withdraw(door.occasion(), agreement_id, reason)
    door.terminal.answer({"agreement": plain(ended)}, f"{ended.title} is withdrawn.")


@agreement.command()
def terminate(context: typer.Context, agreement_id: Id, reason: Annotated[str, typer.Option()]) -> None:
    """End an agreement before its time; every decision under it refuses from now on."""
    door = doors.of(context)
    ended = agreements.terminate(door.occasion(), agreement_id, reason)
    door.terminal.answer({"agreement": plain(ended)}, f"{ended.title} is ended; what was under it stops.")


@transfer.command("add")
def add_route(
    context: typer.Context,
    exporter: Annotated[str, typer.Option("--from", metavar="CC")],
    importer: Annotated[str, typer.Option("--to", metavar="CC")],
    safeguard: Annotated[str, typer.Option(help="What it rests on, such as 'approved country'.")],
    until: Annotated[str, typer.Option(metavar="DATE", help="When it is to be assessed again.")],
    institution: Annotated[str, typer.Option(metavar="NAME", help="For one institution alone.")] = "",
    reference: Annotated[str, typer.Option(help="The act of law or the document.")] = "",
    file: Annotated[Path | None, typer.Option(metavar="F", help="The evidence; it is kept by its hash.")] = None,
) -> None:
    """Record by which route of law data may pass from one country to another."""
    door = doors.of(context)
    evidence = kept(door, file)
    ends = parse(until, "--until")
    route = NewRoute(exporter, importer, safeguard, ends, institution or None, reference, evidence)
    recorded = agreements.record_route(door.occasion(), route)
    door.terminal.answer(
        {"route": plain(recorded)},
        f"Data may pass from {recorded.exporter} to {recorded.importer} until {recorded.until.date()}.",
    )


@transfer.command("list")
def list_routes(context: typer.Context) -> None:
    """List the routes, newest first."""
    door = doors.of(context)
    page = agreements.routes(door.occasion())
    rows = [(one.exporter, one.importer, one.safeguard.value, one.until.date(), one.id) for one in page.items]
    door.terminal.table({"routes": plain(page)}, ("from", "to", "rests on", "until", "id"), rows)


@document.command("add")
def add_document(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="Such as 'data protection impact assessment'.")],
    subject: Annotated[str, typer.Argument(metavar="WHO", help="A person, project, institution or dataset.")],
    until: Annotated[str, typer.Option(metavar="DATE", help="Until when it holds, exclusive.")],
    reference: Annotated[str, typer.Option(help="Its number or name.")] = "",
    file: Annotated[Path | None, typer.Option(metavar="F", help="The document; it is kept by its hash.")] = None,
) -> None:
    """Record a document about a person, a project, an institution or a dataset."""
    door = doors.of(context)
    evidence, ends = kept(door, file), parse(until, "--until")
    recorded = agreements.record_document(
        door.occasion(), kind, subject, ends, reference=reference, file_sha256=evidence
    )
    door.terminal.answer(
        {"document": plain(recorded)}, f"The {recorded.kind.value} is recorded until {recorded.until.date()}."
    )


@document.command("list")
def list_documents(context: typer.Context, subject: Annotated[str, typer.Argument(metavar="WHO")]) -> None:
    """List the newest document of each kind about one thing."""
    door = doors.of(context)
    known = agreements.documents(door.occasion(), subject)
    rows = [(one.kind.value, one.until.date(), one.reference, one.id) for one in known]
    door.terminal.table({"documents": plain(known)}, ("document", "until", "reference", "id"), rows)
