"""What is sent to customers: one-time codes and notices of a change. Always to a contact already on file."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from tools.notice_texts import notice_text
from tools.ports import IdentityVault, LanguageCode, Notifier
from tools.records import Customer, Notice


class Contact(BaseModel):
    model_config = ConfigDict(frozen=True)

    channel: Literal["sms", "email"]
    to: str


class CodeSent(BaseModel):
    """That a code went out; never the code."""

    model_config = ConfigDict(frozen=True)

    channel: Literal["sms", "email"]
    masked_to: str


def mask_phone(phone: str) -> str:
    """ "+15035550127" -> "***0127"."""
    return "***" + phone[-4:]


def mask_email(email: str) -> str:
    """ "jane@example.com" -> "j***@example.com"."""
    name, _, domain = email.partition("@")
    return f"{name[:1]}***@{domain}"


def mask(contact: Contact) -> str:
    return mask_phone(contact.to) if contact.channel == "sms" else mask_email(contact.to)


def contact_for_code(customer: Customer, wish: str | None) -> Contact | None:
    """The contact on file a code goes to: the one wished for when there is one, else phone before e-mail."""
    contacts = contacts_of(customer)
    wished = [contact for contact in contacts if contact.channel == wish]
    return next(iter((*wished, *contacts)), None)


def contacts_of(customer: Customer) -> tuple[Contact, ...]:
    sms = (Contact(channel="sms", to=customer.phone),) if customer.phone else ()
    email = (Contact(channel="email", to=customer.email),) if customer.email else ()
    return (*sms, *email)


async def send_code(
    vault: IdentityVault,
    notices: Notifier,
    call_id: UUID,
    customer: Customer,
    contact: Contact,
    language: LanguageCode,
    company: str,
) -> CodeSent:
    """Issue a one-time code and queue its message. Run inside EffectLog.run_once."""
    code = await vault.issue_code(call_id=call_id, customer_id=customer.customer_id)
    body = notice_text("code", language, company=company, code=code)
    await notices.send(Notice(to=contact.to, channel=contact.channel, body=body, kind="code"))
    return CodeSent(channel=contact.channel, masked_to=mask(contact))


async def notify_change(
    notices: Notifier,
    before: Customer,
    kind: Literal["address_changed", "phone_changed"],
    company: str,
) -> None:
    """Tell the contact that was on file before the change. Run inside the change's run_once."""
    body = notice_text(kind, before.language, company=company)
    for contact in contacts_of(before)[:1]:
        await notices.send(Notice(to=contact.to, channel=contact.channel, body=body, kind=kind))
