"""The words that the demo's records are made of."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST_NAMES = _words(
    "Ada Aiko Alice Amara Amir Anna Anton Aya Ben Bianca Carla Carlos Chloe Clara Daniel David Diego "
    "Elena Elias Emma Erik Fatima Felix Finn Grace Greta Hana Hannah Haruto Hugo Ida Ines Isaac Ivan Jana "
    "Jonas Julia Kai Karim Kenji Laila Lara Leo Liam Lina Lucas Maja Marco Maria Maya Mia Mila Nadia Nils "
    "Nina Noah Nora Olga Oliver Omar Oscar Paula Pedro Petra Priya Rafael Raj Rosa Ruth Sami Sara Simon "
    "Sofia Sven Tara Theo Tom Vera Victor Yuki Zoe"
)

LAST_NAMES = _words(
    "Abe Adler Alvarez Andersson Bauer Becker Bell Berg Bianchi Brandt Brooks Carter Castro Chen Clark "
    "Cole Costa Cruz Dahl Diaz Dubois Eriksen Evans Fischer Fontaine Foster Fuchs Garcia Gomez Gray Haas "
    "Hansen Hayes Hoffman Ito Jansen Jensen Johnson Kato Keller Khan Kim Klein Kowalski Kumar Larsen Lee "
    "Lindberg Lopez Maier Martin Mehta Meyer Mori Morris Moreau Nakamura Nguyen Nilsson Novak Okafor "
    "Olsen Ortiz Park Patel Perez Petrov Quinn Reed Rossi Russo Sato Schmidt Silva Singh Smith Suzuki "
    "Tanaka Torres Turner Vogel Wagner Walsh Weber Wolf Wright Yamada Zhang"
)

COMPANY_FIRST = _words(
    "Alder Alpine Amber Apex Arden Argent Aspen Atlas Baltic Beacon Blue Bright Bridge Canyon Cascade "
    "Castle Cedar Cirrus Citadel Clear Copper Coral Crest Crown Crystal Delta Drift Eagle Echo Elm Ember "
    "Evergreen Falcon Fjord Flint Forge Gale Garnet Glacier Golden Granite Green Grove Harbor Haven Hazel "
    "Helix Heron High Horizon Indigo Iron Ivory Jade Juniper Keystone Lake Lark Laurel Linden Lumen Lunar "
    "Maple Marble Meadow Meridian Mesa Mistral Moss Nimbus Noble North Nova Oak Ocean Olive Onyx Orchid "
    "Orion Osprey Pacific Pearl Pine Pioneer Polar Prairie Prime Quartz Raven Red Ridge River Robin Royal "
    "Sable Sage Silver Sky Solar Spruce Sterling Stone Summit Sun Swift Terra Thorn Timber Topaz Tundra "
    "Union Valley Vega Vertex Violet West Willow Zenith Zephyr"
)

# The second word of a company's name says what it does.
INDUSTRIES = {
    "Automotive": _words("Mobility Motors"),
    "Chemicals": _words("Chemicals Materials Plastics"),
    "Construction": _words("Construction Estates Steel Works"),
    "Consulting": _words("Analytics Consulting Partners"),
    "Energy": _words("Electric Energy Power"),
    "Financial services": _words("Bank Capital Finance Insurance"),
    "Food and beverage": _words("Foods Water"),
    "Healthcare": _words("Biotech Care Health Medical Pharma"),
    "Logistics": _words("Freight Logistics Packaging Shipping"),
    "Manufacturing": _words("Components Controls Engineering Instruments Machines Metals Robotics Tools"),
    "Media": _words("Media Press Studios"),
    "Retail": _words("Brands Supply Textiles Trading Travel"),
    "Software": _words("Labs Software Systems"),
    "Telecommunications": _words("Networks Telecom"),
}

COMPANY_KINDS = tuple((industry, word) for industry, words in INDUSTRIES.items() for word in words)

LEGAL_FORMS = ("", "", "", " Group", " Holdings", " International", " & Co.", " & Sons")

REGIONS = ("North", "South", "East", "West", "Central")

TEAMS = ("Field sales", "Inside sales", "Key accounts", "Growth")

TITLES = (
    "Chief executive officer",
    "Chief financial officer",
    "Chief operating officer",
    "Head of IT",
    "Head of procurement",
    "Operations manager",
    "Plant manager",
    "Procurement specialist",
    "Product manager",
    "Project lead",
    "Sales director",
    "Systems engineer",
)

DEAL_SUBJECTS = (
    "Annual licence",
    "Branch expansion",
    "Consolidation",
    "Data platform",
    "Fleet upgrade",
    "Migration",
    "Modernisation",
    "New site",
    "Pilot",
    "Platform rollout",
    "Service contract",
    "Training programme",
)

# name, series, price of one unit in euro
PRODUCTS = (
    ("Atlas Platform", "Atlas", 4800),
    ("Atlas Team", "Atlas", 1200),
    ("Atlas Insight", "Atlas", 2600),
    ("Compass Routing", "Compass", 900),
    ("Compass Fleet", "Compass", 3400),
    ("Onboarding", "Services", 1500),
    ("Premium support", "Services", 700),
    ("Training day", "Services", 1100),
)

ACTIVITY_SUBJECTS = {
    "email": (
        "Sent the proposal",
        "Answered questions on pricing",
        "Shared a case study",
        "Confirmed the next steps",
        "Asked for the purchase order",
        "Introduced the implementation team",
        "Followed up after the demo",
        "Sent the revised terms",
    ),
    "call": (
        "Discovery call",
        "Check-in",
        "Talked through the budget",
        "Call with procurement",
        "Call with the technical team",
        "Left a message",
        "Negotiated the discount",
        "Reference call",
    ),
    "meeting": (
        "Product demo",
        "Workshop on requirements",
        "Site visit",
        "Meeting with the board",
        "Review of the contract",
        "Quarterly review",
    ),
    "note": (
        "Decision makers",
        "Budget",
        "Competitors",
        "Timeline",
        "Risks",
        "Internal hand-over",
    ),
}

ACTIVITY_BODIES = (
    "They want to go live before the end of the quarter.",
    "The budget is approved; procurement needs two more weeks.",
    "A competitor has offered a lower price, without support.",
    "The head of IT is in favour, finance wants a shorter term.",
    "They asked for a reference in their own industry.",
    "Security review is the next step; questionnaire sent.",
    "The project moves to the next budget year unless we find a sponsor.",
    "Good conversation; they like the reporting most.",
)

TASK_TITLES = (
    "Call back",
    "Prepare the demo",
    "Send the contract",
    "Send the proposal",
    "Clarify the requirements",
    "Get a reference",
    "Plan the workshop",
    "Review the discount",
    "Update the forecast",
    "Write to procurement",
)

TENANT_FIRST = _words(
    "amber arctic autumn bold bright calm clever coastal crimson eager early fair gentle grand happy keen "
    "lively lucky mellow misty noble quiet rapid silent sunny"
)

TENANT_SECOND = _words(
    "anchor badger bay brook canyon comet falcon field forest garden harbor island lantern meadow orchard "
    "otter peak river summit valley"
)
