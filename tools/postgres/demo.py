"""The demo company: 81 customers and about 300 orders in the US, Spain and France, the same on every machine.

Everybody is made up. US numbers are in the ranges kept for fiction (555-01xx), French ones in those of the ARCEP
(06 39 98 xx xx and 01 99 00 xx xx). Spain keeps none, so theirs begin with +34 600 000 or +34 910 000.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from tools.ports import LanguageCode
from tools.records import Address, Customer, Order, OrderItem, OrderStatusWord

SEED = 482
LANGUAGE_OF: dict[str, LanguageCode] = {"US": "en", "ES": "es", "FR": "fr"}
FIRST_ORDER = 10482


@dataclass(frozen=True)
class _Country:
    """What names, streets and things are like there."""

    first: tuple[str, ...]
    last: tuple[str, ...]
    streets: tuple[str, ...]
    towns: tuple[tuple[str, str, str], ...]  # city, region, postal code
    things: tuple[tuple[str, int], ...]  # name, cents
    carriers: tuple[str, ...]
    currency: str
    phone: str


_COUNTRIES = {
    "US": _Country(
        ("Jane", "Walt", "Ann", "Omar", "Priya", "Luke", "Grace", "Tom", "Nina", "Carl", "Ruth", "Ivan", "June"),
        ("Doe", "Lee", "Parker", "Nguyen", "Brooks", "Shaw", "Kim", "Abbott", "Reyes", "Stone", "Fox", "Hale"),
        ("Oak Avenue", "Birch Road", "Pine Street", "Lake Drive", "Hill Street", "Maple Court", "Main Street"),
        (
            ("Portland", "OR", "97205"), ("Salem", "OR", "97301"), ("Seattle", "WA", "98101"),
            ("Denver", "CO", "80202"), ("Austin", "TX", "78701"), ("Chicago", "IL", "60614"),
            ("Boston", "MA", "02108"), ("New York", "NY", "10011"),
        ),
        (
            ("oak stool", 6450), ("brass lamp", 8900), ("walnut desk", 31000), ("linen cushion", 3500),
            ("wool blanket", 7900), ("tea towel", 1200), ("bookshelf", 18900), ("floor lamp", 12900),
            ("dining chair", 14900), ("cast iron pan", 5400), ("cutting board", 3900), ("ceramic vase", 4600),
        ),
        ("UPS", "FedEx", "USPS"),
        "USD",
        "+1{area}55501{number:02d}",
    ),
    "ES": _Country(
        ("Lucía", "Martín", "Carmen", "Pablo", "Elena", "Javier", "Nuria", "Diego", "Alba", "Hugo", "Sara", "Iván"),
        ("Fernández", "Ortega", "García", "Molina", "Serrano", "Vidal", "Romero", "Navarro", "Gil", "Campos"),
        ("Calle Mayor", "Avenida del Puerto", "Calle de la Luna", "Paseo de Gracia", "Plaza Nueva", "Calle Real"),
        (
            ("Madrid", "Madrid", "28013"), ("Valencia", "Valencia", "46021"), ("Sevilla", "Sevilla", "41004"),
            ("Barcelona", "Barcelona", "08007"), ("Bilbao", "Bizkaia", "48005"), ("Málaga", "Málaga", "29015"),
        ),
        (
            ("taburete de roble", 6450), ("lámpara de pie", 8990), ("mesa auxiliar", 14900), ("cojín de lino", 3500),
            ("manta de lana", 7900), ("estantería", 18900), ("silla de comedor", 14900), ("jarrón", 4600),
            ("sartén de hierro", 5400), ("tabla de cortar", 3900),
        ),
        ("SEUR", "Correos", "MRW"),
        "EUR",
        "+34{kind}0000{number:02d}",
    ),
    "FR": _Country(
        ("Camille", "Hugo", "Léa", "Antoine", "Manon", "Jules", "Chloé", "Théo", "Inès", "Louis", "Zoé", "Paul"),
        ("Laurent", "Petit", "Moreau", "Girard", "Lefèvre", "Roux", "Fontaine", "Mercier", "Blanc", "Garnier"),
        ("Rue de la Paix", "Rue des Lilas", "Avenue Victor Hugo", "Rue du Moulin", "Place du Marché"),
        (
            ("Paris", "", "75002"), ("Lyon", "", "69003"), ("Lille", "", "59000"), ("Nantes", "", "44000"),
            ("Bordeaux", "", "33000"), ("Strasbourg", "", "67000"),
        ),
        (
            ("tabouret en chêne", 6450), ("lampe en laiton", 8900), ("table basse", 19900), ("coussin en lin", 3500),
            ("plaid en laine", 7900), ("étagère", 18900), ("fauteuil", 21000), ("vase en céramique", 4600),
            ("planche à découper", 3900), ("bougie", 1800),
        ),
        ("Colissimo", "Chronopost", "DPD"),
        "EUR",
        "+33{kind}{number:02d}",
    ),
}  # fmt: skip
_AREAS = {"OR": "503", "WA": "206", "CO": "303", "TX": "512", "IL": "312", "MA": "617", "NY": "212"}
#: Status and how many days ago the order was placed.
_STATUSES: tuple[tuple[OrderStatusWord, int, int], ...] = (
    ("placed", 0, 1),
    ("processing", 1, 2),
    ("shipped", 3, 4),
    ("out_for_delivery", 4, 6),
    ("delivered", 7, 90),
    ("delivered", 7, 90),
    ("delivered", 7, 90),
    ("delayed", 8, 14),
    ("returned", 20, 120),
    ("cancelled", 10, 120),
    ("lost", 15, 40),
)


def demo_customers() -> list[Customer]:
    """The first of each country are those the README calls from: Jane Doe, Lucía Fernández, Camille Laurent."""
    return [
        _customer(country, index)
        for country, count in (("US", 33), ("ES", 24), ("FR", 24))
        for index in range(count)
    ]


def _customer(country: str, index: int) -> Customer:
    about = _COUNTRIES[country]
    rng = random.Random(f"{SEED}/{country}/{index}")  # noqa: S311 - made-up people, not secrets
    first = about.first[index % len(about.first)]
    last = about.last[index % len(about.last)]
    city, region, postal = about.towns[index % len(about.towns)]
    number = 12 if index == 0 else rng.randint(1, 99)
    street = about.streets[index % len(about.streets)]
    line1 = f"{street} {number}" if country == "ES" else f"{number} {street}"
    name = _ascii(f"{first}.{last}").lower()
    return Customer(
        customer_id=f"{country}-{1001 + index}",
        full_name=f"{first} {last}",
        email=f"{name}{index if index >= 10 else ''}@example.{('com', 'org', 'net')[index % 3]}",
        phone=_phone(country, region, index),
        language=LANGUAGE_OF[country],
        address=Address(line1=line1, city=city, region=region, postal_code=postal, country=country),
    )


def _phone(country: str, region: str, index: int) -> str:
    pattern = _COUNTRIES[country].phone
    if country == "US":
        return pattern.format(area=_AREAS[region], number=(27 + index) % 100)
    if country == "ES":
        return pattern.format(kind="600" if index % 3 else "910", number=12 + index)
    return pattern.format(kind="6399812" if index % 3 == 0 else "1990012", number=4 + index)


def _ascii(text: str) -> str:
    return text.translate(str.maketrans("áéíóúñÁÉèëçïê", "aeiounAEeecie"))


def demo_orders(customers: list[Customer], now: datetime) -> list[Order]:
    """Two to five orders each, newest first in number; dates are counted back from `now`."""
    orders: list[Order] = []
    for customer in customers:
        rng = random.Random(f"{SEED}/{customer.customer_id}")  # noqa: S311
        count = 2 if _calls_in_readme(customer) else rng.choice((2, 3, 4, 4, 5))
        for index in range(count):
            orders.append(_order(customer, len(orders), index, rng, now))
    return orders


def _calls_in_readme(customer: Customer) -> bool:
    return customer.customer_id.endswith("-1001")


def _order(customer: Customer, number: int, index: int, rng: random.Random, now: datetime) -> Order:
    about = _COUNTRIES[customer.address.country]
    status, soonest, latest = _STATUSES[(number * 5 + index) % len(_STATUSES)]
    if _calls_in_readme(customer):  # one on its way, one delivered
        status, soonest, latest = (("shipped", 3, 3), ("delivered", 12, 12))[index % 2]
    placed = now - timedelta(days=rng.randint(soonest, latest), hours=rng.randint(1, 9))
    things = rng.sample(about.things, rng.choice((1, 1, 2, 3)))
    bought = [(rng.choice((1, 1, 1, 2)), name, cents) for name, cents in things]
    sent = status in ("shipped", "out_for_delivery", "delivered", "delayed", "returned", "lost")
    delivered = placed + timedelta(days=4) if status in ("delivered", "returned") else None
    open_ = status in ("placed", "processing", "shipped", "delayed")
    expected = now.date() + timedelta(days=rng.randint(1, 5)) if open_ else None
    if status == "out_for_delivery":
        expected = now.date()
    return Order(
        order_id=f"HF-{FIRST_ORDER + number * 7}",
        customer_id=customer.customer_id,
        status=status,
        placed_at=placed,
        total_cents=sum(quantity * cents for quantity, _, cents in bought),
        currency=about.currency,
        items=tuple(OrderItem(quantity=quantity, name=name) for quantity, name, _ in bought),
        carrier=rng.choice(about.carriers) if sent else None,
        tracking_number=f"{customer.address.country}{rng.randint(10**8, 10**9 - 1)}"
        if sent
        else None,
        shipped_at=placed + timedelta(days=1) if sent else None,
        delivered_at=delivered,
        estimated_delivery=expected,
    )
