"""The few written messages the line sends, in the customer's own language."""

from __future__ import annotations

from typing import Literal

from tools.ports import LanguageCode

Kind = Literal["code", "address_changed", "phone_changed", "callback_booked"]

_TEXTS: dict[LanguageCode, dict[Kind, str]] = {
    "en": {
        "code": "{company}: your one-time code is {code}. It is valid for five minutes. "
        "We only ask for it on a call you are making now.",
        "address_changed": "{company}: the address on your account was changed on a call. "
        "If this was not you, please call us.",
        "phone_changed": "{company}: the phone number on your account was changed on a call. "
        "If this was not you, please call us.",
        "callback_booked": "{company}: your callback is booked for {when}.",
    },
    "es": {
        "code": "{company}: su código de un solo uso es {code}. Vale durante cinco minutos. "
        "Solo se lo pedimos en una llamada que esté haciendo ahora.",
        "address_changed": "{company}: se ha cambiado la dirección de su cuenta en una llamada. "
        "Si no ha sido usted, llámenos.",
        "phone_changed": "{company}: se ha cambiado el teléfono de su cuenta en una llamada. "
        "Si no ha sido usted, llámenos.",
        "callback_booked": "{company}: le llamaremos el {when}.",
    },
    "fr": {
        "code": "{company} : votre code à usage unique est {code}. Il est valable cinq minutes. "
        "Nous ne le demandons que pendant un appel que vous passez en ce moment.",
        "address_changed": "{company} : l'adresse de votre compte a été modifiée lors d'un appel. "
        "Si ce n'était pas vous, appelez-nous.",
        "phone_changed": "{company} : le numéro de téléphone de votre compte a été modifié lors d'un appel. "
        "Si ce n'était pas vous, appelez-nous.",
        "callback_booked": "{company} : votre rappel est prévu le {when}.",
    },
}


def notice_text(kind: Kind, language: LanguageCode, **values: str) -> str:
    return _TEXTS[language][kind].format(**values)
