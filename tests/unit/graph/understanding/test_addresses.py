"""Postal addresses as callers say them: any part, in any order, and nothing that was not said."""

from __future__ import annotations

import pytest

from graph.understanding.commands import Language
from graph.understanding.spoken import AddressParts, check_address, normalise_address, parse_address

Table = dict[str, dict[str, str]]
#: Asked for the address: any of its parts may come.
ANY: dict[tuple[Language, str], Table] = {
    ("en", "US"): {
        "fifty main street": {"line1": "50 Main Street"},
        "it's fifty main street": {"line1": "50 Main Street"},
        "um so it's fifty main street": {"line1": "50 Main Street"},
        "50 Main Street": {"line1": "50 Main Street"},
        "fifty main street apartment four b": {"line1": "50 Main Street", "line2": "Apartment 4B"},
        "apartment four b fifty main street": {"line1": "50 Main Street", "line2": "Apartment 4B"},
        "um it's number forty two on maple avenue": {"line1": "42 Maple Avenue"},
        "apartment five": {"line2": "Apartment 5"},
        "it's apartment number twelve": {"line2": "Apartment 12"},
        "unit seven c": {"line2": "Unit 7C"},
        "suite two ten": {"line2": "Suite 210"},
        "apt 4b": {"line2": "Apt 4B"},
        "third floor": {"line2": "Third floor"},
        "twelve thirty four northwest kearney street": {"line1": "1234 Northwest Kearney Street"},
        "two eleven southeast wilson avenue": {"line1": "211 Southeast Wilson Avenue"},
        "one oh five elm street": {"line1": "105 Elm Street"},
        "one hundred and five elm street": {"line1": "105 Elm Street"},
        "twelve three forty five sunset boulevard": {"line1": "12345 Sunset Boulevard"},
        "12345 sunset boulevard": {"line1": "12345 Sunset Boulevard"},
        "nine hundred first avenue": {"line1": "900 First Avenue"},
        "two hundred west fifty second street": {"line1": "200 West 52nd Street"},
        "88 lake drive": {"line1": "88 Lake Drive"},
        "four twenty broadway": {"line1": "420 Broadway"},
        "four twenty broadway suite five hundred": {"line1": "420 Broadway", "line2": "Suite 500"},
        "six sixteen county road nine": {"line1": "616 County Road 9"},
        "p o box four twelve": {"line1": "PO Box 412"},
        "po box 412": {"line1": "PO Box 412"},
        "p o box one two three": {"line1": "PO Box 123"},
        "the zip is nine seven two oh five": {"postal_code": "97205"},
        "well the zip code is nine seven seven oh one": {"postal_code": "97701"},
        "97205": {"postal_code": "97205"},
        "the city is bend": {"city": "Bend"},
        "the city's bend": {"city": "Bend"},
        "city is salem": {"city": "Salem"},
        "it's in salem": {"city": "Salem"},
        "portland oregon": {"city": "Portland", "region": "OR"},
        "new york new york": {"city": "New York", "region": "NY"},
        "kansas city missouri": {"city": "Kansas City", "region": "MO"},
        "washington d c": {"city": "Washington", "region": "DC"},
        "the state is oregon": {"region": "OR"},
        "portland oregon nine seven two oh five": {
            "city": "Portland",
            "region": "OR",
            "postal_code": "97205",
        },
        "it's twelve thirty four northwest kearney street apartment two oh three portland oregon "
        "nine seven two oh nine": {
            "line1": "1234 Northwest Kearney Street",
            "line2": "Apartment 203",
            "city": "Portland",
            "region": "OR",
            "postal_code": "97209",
        },
        "nine oak avenue in eugene": {"line1": "9 Oak Avenue", "city": "Eugene"},
        "my new address is nine oak avenue eugene oregon 97401": {
            "line1": "9 Oak Avenue",
            "city": "Eugene",
            "region": "OR",
            "postal_code": "97401",
        },
        "i moved to 88 lake drive bend oregon 97701": {
            "line1": "88 Lake Drive",
            "city": "Bend",
            "region": "OR",
            "postal_code": "97701",
        },
        "six ten pine street and the zip is nine eight one oh one": {
            "line1": "610 Pine Street",
            "postal_code": "98101",
        },
        "50 main street salem 97301": {
            "line1": "50 Main Street",
            "city": "Salem",
            "postal_code": "97301",
        },
        "the street is fifty main street": {"line1": "50 Main Street"},
        "the street is main street": {"line1": "Main Street"},
        "seven hundred washington street": {"line1": "700 Washington Street"},
        "i don't know": {},
        "can you repeat that": {},
        "what do you mean": {},
        "hold on a second": {},
        "yes": {},
    },
    ("es", "ES"): {
        "calle mayor ocho": {"line1": "Calle Mayor 8"},
        "calle mayor número ocho": {"line1": "Calle Mayor 8"},
        "a ver es calle alcalá": {"line1": "Calle Alcalá"},
        "en madrid calle luna doce": {"line1": "Calle Luna 12", "city": "Madrid"},
        "calle mayor ocho tercero b": {"line1": "Calle Mayor 8", "line2": "3 B"},
        "es la calle luna doce": {"line1": "Calle Luna 12"},
        "vivo en la calle luna doce": {"line1": "Calle Luna 12"},
        "me he mudado a la calle luna doce": {"line1": "Calle Luna 12"},
        "avenida del puerto veintiuno": {"line1": "Avenida del Puerto 21"},
        "calle de alcalá ciento veinte cuarto izquierda": {
            "line1": "Calle de Alcalá 120",
            "line2": "4 izquierda",
        },
        "calle serrano número cuarenta y cinco segundo derecha madrid veintiocho cero cero uno": {
            "line1": "Calle Serrano 45",
            "line2": "2 derecha",
            "city": "Madrid",
            "postal_code": "28001",
        },
        "paseo de gracia cincuenta y cinco barcelona cero ocho cero cero siete": {
            "line1": "Paseo de Gracia 55",
            "city": "Barcelona",
            "postal_code": "08007",
        },
        "carrer de balmes cien": {"line1": "Carrer de Balmes 100"},
        "plaza de españa dos": {"line1": "Plaza de España 2"},
        "ronda de toledo dieciséis": {"line1": "Ronda de Toledo 16"},
        "avenida de américa quince primero c": {"line1": "Avenida de América 15", "line2": "1 C"},
        "calle once de septiembre catorce": {"line1": "Calle Once de Septiembre 14"},
        "calle dos de mayo tres": {"line1": "Calle Dos de Mayo 3"},
        "calle mayor 8": {"line1": "Calle Mayor 8"},
        "piso tercero puerta b": {"line2": "3 B"},
        "es el piso tercero b": {"line2": "3 B"},
        "tercero b": {"line2": "3 B"},
        "el sexto c": {"line2": "6 C"},
        "escalera dos primero a": {"line2": "Escalera 2, 1 A"},
        "el bajo derecha": {"line2": "Bajo derecha"},
        "puerta cuatro": {"line2": "Puerta 4"},
        "el código postal es veintiocho cero trece": {"postal_code": "28013"},
        "veintiocho mil trece": {"postal_code": "28013"},
        "el código postal es el cuarenta y seis cero veintiuno": {"postal_code": "46021"},
        "la ciudad es zaragoza": {"city": "Zaragoza"},
        "es en sevilla": {"city": "Sevilla"},
        "madrid veintiocho cero trece": {"city": "Madrid", "postal_code": "28013"},
        "veintiocho cero trece madrid": {"city": "Madrid", "postal_code": "28013"},
        "calle luna doce en valencia": {"line1": "Calle Luna 12", "city": "Valencia"},
        "calle luna doce valencia": {"line1": "Calle Luna 12", "city": "Valencia"},
        "pues mira calle del carmen veintidós segundo a en murcia y el código postal treinta mil uno": {
            "line1": "Calle del Carmen 22",
            "line2": "2 A",
            "city": "Murcia",
            "postal_code": "30001",
        },
        "la calle es gran vía treinta": {"line1": "Gran Vía 30"},
        "gran vía treinta": {"line1": "Gran Vía 30"},
        "no lo sé": {},
        "puede repetir": {},
        "espere un momento": {},
        "sí": {},
    },
    ("fr", "FR"): {
        "douze rue de la paix": {"line1": "12 Rue de la Paix"},
        "c'est douze rue de la paix": {"line1": "12 Rue de la Paix"},
        "alors c'est le douze rue de la paix": {"line1": "12 Rue de la Paix"},
        "j'habite au douze rue de la paix": {"line1": "12 Rue de la Paix"},
        "12 rue de la paix": {"line1": "12 Rue de la Paix"},
        "cinq rue des lilas lyon soixante-neuf zéro zéro trois": {
            "line1": "5 Rue des Lilas",
            "city": "Lyon",
            "postal_code": "69003",
        },
        "vingt-quatre bis avenue victor hugo": {"line1": "24 bis Avenue Victor Hugo"},
        "quatre-vingt-dix-huit boulevard voltaire": {"line1": "98 Boulevard Voltaire"},
        "cent vingt rue lafayette": {"line1": "120 Rue Lafayette"},
        "trois place de la république": {"line1": "3 Place de la République"},
        "sept chemin des vignes": {"line1": "7 Chemin des Vignes"},
        "dix-huit allée des acacias": {"line1": "18 Allée des Acacias"},
        "quarante-deux quai de la loire": {"line1": "42 Quai de la Loire"},
        "deux impasse du moulin": {"line1": "2 Impasse du Moulin"},
        "neuf cours mirabeau à aix en provence": {
            "line1": "9 Cours Mirabeau",
            "city": "Aix en Provence",
        },
        "huit boulevard voltaire à paris soixante-quinze zéro onze": {
            "line1": "8 Boulevard Voltaire",
            "city": "Paris",
            "postal_code": "75011",
        },
        "j'ai déménagé au huit boulevard voltaire à paris": {
            "line1": "8 Boulevard Voltaire",
            "city": "Paris",
        },
        "douze rue de la paix appartement trente-quatre": {
            "line1": "12 Rue de la Paix",
            "line2": "Appartement 34",
        },
        "appartement douze": {"line2": "Appartement 12"},
        "c'est l'appartement douze": {"line2": "Appartement 12"},
        "deuxième étage": {"line2": "2e étage"},
        "au troisième étage": {"line2": "3e étage"},
        "bâtiment c": {"line2": "Bâtiment C"},
        "bâtiment c escalier deux": {"line2": "Bâtiment C, Escalier 2"},
        "bâtiment b appartement douze": {"line2": "Bâtiment B, Appartement 12"},
        "le code postal c'est soixante-neuf zéro zéro trois": {"postal_code": "69003"},
        "trente-trois mille bordeaux": {"city": "Bordeaux", "postal_code": "33000"},
        "bordeaux trente-trois mille": {"city": "Bordeaux", "postal_code": "33000"},
        "c'est à marseille treize zéro zéro six": {"city": "Marseille", "postal_code": "13006"},
        "la ville c'est nantes": {"city": "Nantes"},
        "c'est à toulouse": {"city": "Toulouse"},
        "soixante-quinze zéro zéro deux paris": {"city": "Paris", "postal_code": "75002"},
        "cinquante-neuf mille lille": {"city": "Lille", "postal_code": "59000"},
        "alors la nouvelle adresse c'est quinze rue du bac à paris et le code postal soixante-quinze zéro zéro sept": {
            "line1": "15 Rue du Bac",
            "city": "Paris",
            "postal_code": "75007",
        },
        "la rue c'est rue des fleurs": {"line1": "Rue des Fleurs"},
        "je sais pas": {},
        "vous pouvez répéter": {},
        "attendez une seconde": {},
        "oui": {},
    },
}
#: A caller's language is not always that of the address.
ABROAD: dict[tuple[Language, str], Table] = {
    ("es", "US"): {
        "doce treinta y cuatro main street": {"line1": "1234 Main Street"},
        "es cincuenta oak avenue salem oregon nueve siete tres cero uno": {
            "line1": "50 Oak Avenue",
            "city": "Salem",
            "region": "OR",
            "postal_code": "97301",
        },
        "apartamento cuatro": {"line2": "Apartamento 4"},
    },
    ("en", "ES"): {
        "calle mayor eight madrid two eight oh one three": {
            "line1": "Calle Mayor 8",
            "city": "Madrid",
            "postal_code": "28013",
        }
    },
    ("en", "FR"): {"twelve rue de la paix": {"line1": "12 Rue de la Paix"}},
    ("fr", "ES"): {"calle mayor huit": {"line1": "Calle Mayor 8"}},
    ("fr", "US"): {"cinquante main street": {"line1": "50 Main Street"}},
}
CITIES: dict[tuple[Language, str], dict[str, str | None]] = {
    ("en", "US"): {
        "portland": "Portland",
        "it's portland": "Portland",
        "uh salem": "Salem",
        "in eugene": "Eugene",
        "it's in bend": "Bend",
        "that would be new york": "New York",
        "san antonio": "San Antonio",
        "saint louis": "Saint Louis",
        "los angeles": "Los Angeles",
        "the city is bend": "Bend",
        "the town is called sisters": "Sisters",
        "p o r t l a n d": "Portland",
        "oh it's grants pass": "Grants Pass",
        "la grande": "La Grande",
        "yup": None,
        "what": None,
        "sorry what did you say": None,
        "i want to talk to someone": None,
    },
    ("es", "ES"): {
        "valencia": "Valencia",
        "en sevilla": "Sevilla",
        "es zaragoza": "Zaragoza",
        "la ciudad es málaga": "Málaga",
        "san sebastián": "San Sebastián",
        "las palmas": "Las Palmas",
        "la coruña": "La Coruña",
        "en las rozas de madrid": "Las Rozas de Madrid",
        "pues getafe": "Getafe",
        "el pueblo se llama chinchón": "Chinchón",
        "vivo en alcalá de henares": "Alcalá de Henares",
        "sí": None,
        "cómo dice": None,
        "no entiendo": None,
    },
    ("fr", "FR"): {
        "lyon": "Lyon",
        "à lyon": "Lyon",
        "c'est lyon": "Lyon",
        "euh villeurbanne": "Villeurbanne",
        "la rochelle": "La Rochelle",
        "le havre": "Le Havre",
        "saint étienne": "Saint Étienne",
        "aix en provence": "Aix en Provence",
        "la ville c'est nantes": "Nantes",
        "j'habite à brest": "Brest",
        "la ville s'appelle cassis": "Cassis",
        "oui": None,
        "pardon": None,
        "j'ai pas compris": None,
    },
}
#: Google's address data: what is missing or cannot be right.
FAULTS: tuple[tuple[dict[str, str], tuple[str, ...]], ...] = (
    ({"line1": "50 Main Street", "city": "Salem", "postal_code": "97301", "country": "US"}, ()),
    ({"line1": "50 Main Street", "postal_code": "97301", "country": "US"}, ("city",)),
    (
        {"line1": "5 Elm", "city": "Reno", "region": "OR", "postal_code": "89501", "country": "US"},
        ("postal_code",),
    ),
    ({"line1": "Calle Luna 12", "city": "Madrid", "postal_code": "28013", "country": "ES"}, ()),
    (
        {"line1": "Calle Luna 12", "city": "Madrid", "postal_code": "99999", "country": "ES"},
        ("postal_code",),
    ),
    ({"line1": "5 Rue des Lilas", "city": "Lyon", "postal_code": "69003", "country": "FR"}, ()),
    ({"line1": "5 Rue des Lilas", "city": "Lyon", "country": "FR"}, ("postal_code",)),
)


def cases(tables: dict) -> list[tuple]:  # type: ignore[type-arg]
    return [(key, text, wanted) for key, table in tables.items() for text, wanted in table.items()]


def given(parts: AddressParts) -> dict[str, str]:
    return {name: value for name, value in parts.model_dump().items() if value}


@pytest.mark.parametrize(("place", "text", "parts"), [*cases(ANY), *cases(ABROAD)])
def test_parts_of_an_address_are_read(
    place: tuple[Language, str], text: str, parts: dict[str, str]
) -> None:
    language, country = place
    assert given(parse_address(text, language, country, {}, ("line1",))) == parts


@pytest.mark.parametrize(("place", "text", "city"), cases(CITIES))
def test_city_is_read_when_it_was_asked_for(
    place: tuple[Language, str], text: str, city: str | None
) -> None:
    language, country = place
    assert parse_address(text, language, country, {}, ("city",)).city == city


@pytest.mark.parametrize(("parts", "faults"), FAULTS)
def test_address_is_checked_against_its_country(
    parts: dict[str, str], faults: tuple[str, ...]
) -> None:
    found = check_address(normalise_address(AddressParts(**parts)))
    assert set(found) == set(faults)
