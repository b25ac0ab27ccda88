"""Phone numbers, e-mail addresses and names as callers say them."""

from __future__ import annotations

import pytest

from graph.understanding.commands import Language
from graph.understanding.spoken import find_email, find_name, find_phone

#: E.164 when the number is whole, else the digits heard; None when there is no number.
PHONES: dict[tuple[Language, str], dict[str, str | None]] = {
    ("en", "US"): {
        "five oh three five five five oh one two seven": "+15035550127",
        "it's 503 555 0127": "+15035550127",
        "503-555-0127": "+15035550127",
        "(503) 555-0127": "+15035550127",
        "5035550127": "+15035550127",
        "1 503 555 0127": "+15035550127",
        "+1 503 555 0127": "+15035550127",
        "plus one five oh three five five five oh one two seven": "+15035550127",
        "one five oh three five five five zero one two seven": "+15035550127",
        "five zero three triple five zero one two seven": "+15035550127",
        "area code five oh three then five five five oh one two seven": "+15035550127",
        "five oh three uh five fifty five oh one twenty seven": "+15035550127",
        "my number is five oh three five five five oh one double eight": "+15035550188",
        "um one second it's five oh three five five five oh one two seven": "+15035550127",
        "oh it's five oh three five five five oh one four four": "+15035550144",
        "you can reach me at five oh three five five five oh one nine nine": "+15035550199",
        "five oh three five five five oh one two eight sorry oh one two seven": "+15035550127",
        "five oh three five five five oh one two eight no seven": "+15035550127",
        "no it's 503 555 0155": "+15035550155",
        "call me on 503 555 0127 after 3": "+15035550127",
        "my zip is 97205 and my phone is 503 555 0127": "+15035550127",
        "plus thirty four six hundred zero zero zero zero one two": "+34600000012",
        "plus three three six three nine nine eight one two oh four": "+33639981204",
        "0034 600 000 012": "+34600000012",
        "six one seven five five five oh one hundred": "+16175550100",
        "two one two five five five oh one nine eight thanks": "+12125550198",
        "five oh three five five five": "503555",
        "five five five oh one two seven": "5550127",
        "i don't know my number": None,
        "the same one": None,
    },
    ("es", "ES"): {
        "seiscientos cero cero cero cero doce": "+34600000012",
        "seis cero cero cero cero cero cero uno dos": "+34600000012",
        "seiscientos cero cero cero cero uno dos": "+34600000012",
        "600 000 012": "+34600000012",
        "600 00 00 12": "+34600000012",
        "600000012": "+34600000012",
        "+34 600 000 012": "+34600000012",
        "más treinta y cuatro seis cero cero cero cero cero cero uno dos": "+34600000012",
        "cero cero treinta y cuatro seiscientos cero cero cero cero uno dos": "+34600000012",
        "seiscientos triple cero cero doce": "+34600000012",
        "el nueve uno cero cero cero cero cero cuatro cinco": "+34910000045",
        "novecientos diez cero cero cero cero cuarenta y cinco": "+34910000045",
        "noventa y uno cero cero cero cero cero cuarenta y cinco": "+34910000045",
        "es el seiscientos doce treinta y cuatro cincuenta y seis setenta y ocho": "+34612345678",
        "seis uno dos tres cuatro cinco seis siete ocho": "+34612345678",
        "mi número es el 612 345 678": "+34612345678",
        "seiscientos doce trescientos cuarenta y cinco seiscientos setenta y ocho": "+34612345678",
        "un momento es el seiscientos doce treinta y cuatro cincuenta y seis setenta y ocho": "+34612345678",
        "seiscientos doce treinta y cuatro cincuenta y seis setenta y nueve no setenta y ocho": "+34612345678",
        "apunte seis uno dos tres cuatro cinco seis siete ocho": "+34612345678",
        "al seis uno dos tres cuatro cinco seis siete nueve perdón ocho": "+34612345678",
        "el fijo es noventa y uno dos treinta y cuatro cincuenta y seis setenta y ocho": "+34912345678",
        "mi código postal es 28013 y el teléfono 612 345 678": "+34612345678",
        "llámeme al 612345678 a partir de las 5": "+34612345678",
        "612 34 56 78 gracias": "+34612345678",
        "seiscientos doce treinta y cuatro": "61234",
        "no me lo sé": None,
        "el mismo": None,
    },
    ("fr", "FR"): {
        "zéro six trente-neuf quatre-vingt-dix-huit douze zéro quatre": "+33639981204",
        "zéro six trente neuf nonante huit douze zéro quatre": "+33639981204",
        "06 39 98 12 04": "+33639981204",
        "06.39.98.12.04": "+33639981204",
        "0639981204": "+33639981204",
        "+33 6 39 98 12 04": "+33639981204",
        "plus trente-trois six trente-neuf quatre-vingt-dix-huit douze zéro quatre": "+33639981204",
        "zéro zéro trente-trois six trente-neuf quatre-vingt-dix-huit douze zéro quatre": "+33639981204",
        "c'est le zéro six trente-neuf quatre-vingt-dix-huit douze zéro quatre": "+33639981204",
        "alors c'est zéro un quatre-vingt-dix-neuf zéro zéro douze trente-quatre": "+33199001234",
        "zéro un nonante-neuf double zéro douze trente-quatre": "+33199001234",
        "zéro un quatre-vingt-dix-neuf zéro zéro douze trente-cinq non trente-quatre": "+33199001234",
        "attendez une seconde zéro un quatre-vingt-dix-neuf zéro zéro douze trente-quatre": "+33199001234",
        "zéro six euh trente-neuf euh quatre-vingt-dix-huit quinze soixante-seize": "+33639981576",
        "mon numéro c'est le zéro six trente-neuf quatre-vingt-dix-huit quinze soixante-seize": "+33639981576",
        "zéro sept pardon zéro six trente-neuf quatre-vingt-dix-huit quinze soixante-seize": "+33639981576",
        "au zéro six trois neuf neuf huit un deux zéro quatre": "+33639981204",
        "zéro six trente-neuf quatre-vingt-dix-huit soixante et onze vingt et un": "+33639987121",
        "zéro six trente-neuf quatre-vingt-dix-huit soixante et onze quatre-vingt-un": "+33639987181",
        "rappelez-moi au 06 39 98 12 04 après 15 heures": "+33639981204",
        "mon code postal c'est 75002 et mon téléphone 06 39 98 12 04": "+33639981204",
        "zéro deux soixante et un quatre-vingt-onze vingt-deux trente-trois": "+33261912233",
        "zéro neuf septante-deux trente-trois quarante-quatre cinquante-cinq": "+33972334455",
        "je n'ai plus le zéro six c'est zéro sept trente-neuf quatre-vingt-dix-huit douze zéro quatre": "+33739981204",
        "le zéro six trente-neuf quatre-vingt-dix-huit": "063998",
        "je l'ai plus": None,
        "le même": None,
    },
}
#: A caller from abroad says a number as it is said at home.
ABROAD: dict[tuple[Language, str], dict[str, str | None]] = {
    ("es", "US"): {
        "seiscientos cero cero cero cero doce": "+34600000012",
        "cinco cero tres cinco cinco cinco cero uno dos siete": "+15035550127",
    },
    ("fr", "US"): {"zéro six trente-neuf quatre-vingt-dix-huit douze zéro quatre": "+33639981204"},
    ("en", "ES"): {"five oh three five five five oh one two seven": "+15035550127"},
}
EMAILS: dict[Language, dict[str, str | None]] = {
    "en": {
        "jane dot doe at example dot com": "jane.doe@example.com",
        "it's jane dot doe at example dot com": "jane.doe@example.com",
        "jane.doe@example.com": "jane.doe@example.com",
        "yeah my email is jane.doe@example.com": "jane.doe@example.com",
        "my email address is jane dot doe at example dot com": "jane.doe@example.com",
        "jane dot doe at example.com": "jane.doe@example.com",
        "jane period doe at example dot com": "jane.doe@example.com",
        "j a n e dot d o e at example dot com": "jane.doe@example.com",
        "jay dot doe at example dot com": "jay.doe@example.com",
        "jane underscore doe at example dot com": "jane_doe@example.com",
        "jane dash doe at example dot com": "jane-doe@example.com",
        "jane hyphen doe eighty four at example dot com": "jane-doe84@example.com",
        "jane doe nineteen eighty four at example dot com": "janedoe1984@example.com",
        "jane doe all one word at example dot com": "janedoe@example.com",
        "jane doe all lowercase at example dot com": "janedoe@example.com",
        "um it's ann dot lee at example dot net": "ann.lee@example.net",
        "it should be under omar dot ruiz at example dot org": "omar.ruiz@example.org",
        "you can find me at omar dot ruiz at example dot org": "omar.ruiz@example.org",
        "that's w dot doe at mail dot example dot com": "w.doe@mail.example.com",
        "sales at my dash shop dot co dot uk": "sales@my-shop.co.uk",
        "a n n dot l double e at example dot net": "ann.lee@example.net",
        "o m a r as in romeo dot ruiz at example dot org": "omar.ruiz@example.org",
        "jane plus shop at example dot com": "jane+shop@example.com",
        "jane dot doe at example dot com thank you": "jane.doe@example.com",
        "jane dot doe two at example dot com": "jane.doe2@example.com",
        "i'll be at home": None,
        "at three dot": None,
        "i don't use email": None,
    },
    "es": {
        "lucia punto fernandez arroba example punto org": "lucia.fernandez@example.org",
        "lucía punto fernández arroba example punto org": "lucia.fernandez@example.org",
        "es lucía punto fernández arroba example punto org": "lucia.fernandez@example.org",
        "mi correo es lucía punto fernández arroba example punto org": "lucia.fernandez@example.org",
        "lucia.fernandez@example.org": "lucia.fernandez@example.org",
        "pues mi email es martin.ortega@example.com": "martin.ortega@example.com",
        "martín punto ortega arroba example punto com": "martin.ortega@example.com",
        "martin guion ortega arroba example punto com": "martin-ortega@example.com",
        "martin guion bajo ortega arroba example punto com": "martin_ortega@example.com",
        "martin raya baja ortega arroba example punto com": "martin_ortega@example.com",
        "martin ortega todo junto arroba example punto com": "martinortega@example.com",
        "martín ortega en minúsculas arroba example punto com": "martinortega@example.com",
        "martin ortega ochenta y cuatro arroba example punto com": "martinortega84@example.com",
        "m o r t e g a arroba example punto com": "mortega@example.com",
        "ortega dos mil uno arroba example punto es": "ortega2001@example.es",
        "la dirección es ventas arroba mi guion tienda punto es": "ventas@mi-tienda.es",
        "eh sí lucía arroba correo punto example punto org": "lucia@correo.example.org",
        "el correo electrónico es ana arroba example punto com punto mx": "ana@example.com.mx",
        "ana punto de la rosa arroba example punto com": "ana.delarosa@example.com",
        "con el correo pedro siete arroba example punto org": "pedro7@example.org",
        "martin punto ortega at example punto com": "martin.ortega@example.com",
        "martín punto ortega arroba example.com gracias": "martin.ortega@example.com",
        "jota punto ortega arroba example punto com": "j.ortega@example.com",
        "hache efe arroba example punto com": "hf@example.com",
        "apunte lucía punto fernández arroba example punto org": "lucia.fernandez@example.org",
        "no tengo correo": None,
        "a las tres en punto": None,
    },
    "fr": {
        "camille point laurent arobase example point net": "camille.laurent@example.net",
        "c'est camille point laurent arobase example point net": "camille.laurent@example.net",
        "mon mail c'est camille point laurent arobase example point net": "camille.laurent@example.net",
        "mon adresse mail est camille point laurent arobase example point net": "camille.laurent@example.net",
        "camille.laurent@example.net": "camille.laurent@example.net",
        "alors euh camille.laurent@example.net": "camille.laurent@example.net",
        "hugo point petit arobase example point org": "hugo.petit@example.org",
        "hugo point petit at example point org": "hugo.petit@example.org",
        "hugo tiret petit arobase example point org": "hugo-petit@example.org",
        "hugo trait d'union petit arobase example point org": "hugo-petit@example.org",
        "hugo tiret du bas petit arobase example point org": "hugo_petit@example.org",
        "hugo underscore petit arobase example point org": "hugo_petit@example.org",
        "hugo petit tout attaché arobase example point org": "hugopetit@example.org",
        "hugo petit en minuscules arobase example point org": "hugopetit@example.org",
        "hugo petit soixante-neuf arobase example point org": "hugopetit69@example.org",
        "hugo petit quatre-vingt-douze arobase example point org": "hugopetit92@example.org",
        "h u g o point petit arobase example point org": "hugo.petit@example.org",
        "h point petit arobase example point org": "h.petit@example.org",
        "le mail c'est contact arobase ma tiret boutique point fr": "contact@ma-boutique.fr",
        "l'adresse est zoe arobase mail point example point fr": "zoe@mail.example.fr",
        "zoé arobase example point fr merci": "zoe@example.fr",
        "alors l'adresse c'est jean tiret luc arobase example point fr": "jean-luc@example.fr",
        "jean luc deux arobase example point fr": "jeanluc2@example.fr",
        "oui c'est noël arrobase example point net": "noel@example.net",
        "vous notez camille point laurent arobase example point net": "camille.laurent@example.net",
        "j'ai pas de mail": None,
        "à trois heures point": None,
    },
}
NAMES: dict[Language, dict[str, str | None]] = {
    "en": {"my name is jane doe": "Jane Doe", "this is omar": "Omar", "where is my order": None},
    "es": {"me llamo lucía fernández": "Lucía Fernández", "soy martín": "Martín"},
    "fr": {"je m'appelle camille laurent": "Camille Laurent", "où est ma commande": None},
}


def cases(tables: dict) -> list[tuple]:  # type: ignore[type-arg]
    return [(key, text, wanted) for key, table in tables.items() for text, wanted in table.items()]


@pytest.mark.parametrize(("place", "text", "number"), [*cases(PHONES), *cases(ABROAD)])
def test_phone_number_is_read(place: tuple[Language, str], text: str, number: str | None) -> None:
    language, country = place
    reading = find_phone(text, language, country)
    assert ((reading.e164 or reading.digits) if reading else None) == number


@pytest.mark.parametrize(("language", "text", "email"), cases(EMAILS))
def test_email_address_is_read(language: Language, text: str, email: str | None) -> None:
    assert find_email(text, language) == email


@pytest.mark.parametrize(("language", "text", "name"), cases(NAMES))
def test_name_is_read_after_the_words_that_introduce_it(
    language: Language, text: str, name: str | None
) -> None:
    assert find_name(text, language) == name
