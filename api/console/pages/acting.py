"""One operation by hand: its form, what it would record, and then its outcome, each at an address of its own.

A form is a question: filled, it leads to the preview of what it states. Only the button beneath a preview records,
and what it records was shown: if it would be something else by now, it is shown again. The key is made when the form
opens and stays in the address, so that a second press, a lost answer or the way back record nothing twice.
"""

from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from nicegui import app as console_app
from nicegui import ui
from starlette.datastructures import FormData, QueryParams
from starlette.responses import RedirectResponse, Response

from api.console.asking import Asker, Refused
from api.console.doors import asker_of, console_page
from api.console.forms import chosen, written
from api.console.frame import refusal_card, show
from api.console.operating import (
    KEY,
    OPERATIONS,
    REASON,
    Field,
    Operation,
    Stated,
    content_stated,
    form_path,
    missing_in,
    new_key,
    resource_of,
)
from api.console.previewing import changes_card, digest_of, events_card, recorded_card
from api.console.reporting import SHOCK
from api.console.writing import Markup, account_link, card, joined, link, tag
from api.problems import problem_of
from api.roles import may_not_send, may_send

SHOWN, CHANGED, REFUSED = "shown", "changed", "refused"
LONGEST_REASON = 500

Answer = dict[str, Any]


@console_page("/operations/{command}", "Operations")
async def operation_page(ask: Asker, command: str) -> None:
    """The form of an operation, and beneath it the preview or the outcome of what is stated."""
    show(tag("p", link("← All operations", "/operations")))
    operation = OPERATIONS.get(command)
    if operation is None:
        show(tag("p", f"There is no operation {command[:60]}; choose one of the list.", class_="empty"))
        return
    if not may_send(ask.session.caller, command):
        raise Refused(403, problem_of(may_not_send(ask.session.caller, command)))
    stated = ui.context.client.request.query_params
    content, is_sent = content_stated(operation, stated), KEY in stated
    missing = missing_in(operation, content) if is_sent else []
    previewed = await _previewed(ask, operation, stated, content) if is_sent and not missing else None
    # What was recorded used its key up: the form above it is a new one.
    is_recorded = isinstance(previewed, dict) and previewed["recorded"] is not None
    key = new_key() if is_recorded else _key_of(stated)
    with ui.element("div").classes("operation"):
        show(_form(operation, content, missing, key, is_new=KEY not in stated))
        with ui.element("div"):
            if previewed is None:
                show(card("What happens then", tag("p", _FIRST_SHOWN)))
            else:
                _show_previewed(operation, stated, content, previewed)


async def _previewed(ask: Asker, operation: Operation, stated: QueryParams, content: Answer) -> Answer | Refused:
    path, body = resource_of(operation, _command({**content, KEY: _key_of(stated)}))
    try:
        return await ask.post(f"{path}/preview", body)
    except Refused as refused:
        return refused


_FIRST_SHOWN = (
    "Nothing is recorded by this form: it leads to exactly what would be recorded and changed, or to the refusal, "
    "and there you decide."
)


@console_app.post("/operations/{command}")
async def record(request: Request, command: str) -> Response:
    """Records what a preview showed, if it would still be that; then leads to the outcome."""
    operation = OPERATIONS.get(command)
    if operation is None:
        return RedirectResponse("/console/operations", status_code=303)
    form = await request.form()
    content = content_stated(operation, form)
    stated = {**content, KEY: _key_of(form)}
    again: Answer = {}
    if not missing_in(operation, content):
        try:
            again = {} if await _record_as_shown(asker_of(request), operation, stated, form) else {CHANGED: "1"}
        except Refused as refused:
            again = {REFUSED: refused.code}
    return RedirectResponse(f"/console{form_path(command, **stated, **again)}", status_code=303)


async def _record_as_shown(ask: Asker, operation: Operation, stated: Answer, form: FormData) -> bool:
    """Sends the command; False, and nothing is sent, where it would record something else than was shown."""
    path, body = resource_of(operation, _command(stated))
    previewed = await ask.post(f"{path}/preview", body)
    if previewed["recorded"] is not None:
        return True
    if digest_of(previewed["events"]) != form.get(SHOWN):
        return False
    await ask.post(path, body)
    return True


def _command(stated: Answer) -> Answer:
    return {name: value for name, value in stated.items() if name != KEY} | {"idempotency_key": stated[KEY]}


def _key_of(stated: Stated) -> str:
    return str(stated.get(KEY) or new_key())


def _show_previewed(operation: Operation, stated: QueryParams, content: Answer, previewed: Answer | Refused) -> None:
    if isinstance(previewed, Refused):
        refusal_card(previewed)
        show(tag("p", _NOT_KNOWN if previewed.status >= 500 else _REFUSED, class_="hint"))
        return
    if previewed["recorded"] is not None:
        show(joined(recorded_card(previewed["recorded"]), _onwards(operation, content)))
        return
    confirm = _confirm(operation, {**content, KEY: _key_of(stated)}, digest_of(previewed["events"]))
    changes = changes_card(previewed["accounts"], _nothing_of_accounts(operation, content))
    show(joined(_warning(stated), events_card(previewed["events"]), changes, confirm))


def _warning(stated: QueryParams) -> Markup:
    """Why the button that was pressed recorded nothing, where it did not."""
    said = _CHANGED if CHANGED in stated else ""
    if REFUSED in stated:
        said = f"The button was pressed and refused ({stated[REFUSED][:40]}): {_PRESS_AGAIN}"
    return tag("p", said, class_="said", role="alert") if said else Markup("")


def _nothing_of_accounts(operation: Operation, content: Answer) -> Markup:
    """What is said where no balance changes; a price changes what wallets are worth, which a what-if tells."""
    if operation.command != "confirm_price":
        return joined("No balance, level or block.")
    shock = urlencode({f"{SHOCK}{content['pair']}": content["price"]})
    told = link("what this price would do", f"/reports/what-if?{shock}")
    return joined("No balance by itself; wallets are examined at the price once it counts. See ", told, ".")


_REFUSED = "Nothing was recorded. Correct the form, or leave it at that."
_NOT_KNOWN = "Whether it was recorded will be told at this address: load it again. It is recorded once at most."
_PRESS_AGAIN = "nothing stands in the log under this form's key. This is what would be recorded now; press again."
_CHANGED = "Nothing was recorded: since it was shown, something else happened. This is what would be recorded now."


def _onwards(operation: Operation, content: Answer) -> Markup:
    account_id = content.get("account_id")
    account = joined(" · Account ", account_link(account_id)) if account_id else ""
    anew = link("The same operation again", form_path(operation.command))
    return tag("p", joined(anew, " · ", link("All operations", "/operations"), account))


def _confirm(operation: Operation, sent: Answer, digest: str) -> Markup:
    """The only button that records: a form that states again all that was shown."""
    stated = [(name, one) for name, value in sent.items() for one in (value if isinstance(value, list) else [value])]
    hidden = (tag("input", type="hidden", name=name, value=str(value)) for name, value in [*stated, (SHOWN, digest)])
    button = tag("button", operation.button, type="submit", class_="primary")
    path = f"/console/operations/{operation.command}"
    return tag("form", joined(*hidden, button), method="post", action=path, class_="confirm")


def _form(operation: Operation, content: Answer, missing: list[str], key: str, *, is_new: bool) -> Markup:
    fields = [_field(field, content, is_new=is_new) for field in operation.fields]
    words = "Reason (kept with the event)"
    bounds = {"required": "", "maxlength": str(LONGEST_REASON)}
    reason = written(words, REASON, content.get(REASON), "ticket, case, what was found", **bounds)
    said = f"Still to be stated: {', '.join(missing)}." if missing else ""
    parts = [
        tag("p", operation.meaning),
        tag("p", said, class_="said", role="alert") if said else "",
        *fields,
        reason,
        tag("input", type="hidden", name=KEY, value=key),
        tag("button", "Show what this would record", type="submit", class_="primary" if is_new else None),
    ]
    form = tag("form", joined(*parts), method="get", action=f"/console/operations/{operation.command}", class_="asked")
    return card(operation.title, form)


def _field(field: Field, content: Answer, *, is_new: bool) -> Markup:
    if field.several:
        return _checks(field, content.get(field.name, field.choices if is_new else ()))
    title = joined(field.title, tag("span", field.hint, class_="hint") if field.hint else "")
    value, required = content.get(field.name), "" if field.needed else None
    if field.choices:
        choices = [("", "choose"), *((one, one.replace("_", " ")) for one in field.choices)]
        return chosen(title, field.name, choices, value or "", required=required)
    return written(title, field.name, value, required=required)


def _checks(field: Field, chosen: Any) -> Markup:
    boxes = (
        tag(
            "label",
            joined(
                tag("input", type="checkbox", name=field.name, value=one, checked="" if one in chosen else None),
                one,
            ),
            class_="tick-box",
        )
        for one in field.choices
    )
    return tag("fieldset", joined(tag("legend", field.title), *boxes))
