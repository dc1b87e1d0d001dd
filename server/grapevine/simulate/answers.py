"""What visitors write to "how did you hear about us?": true to how they really came, in several tones and languages."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Final

from grapevine.simulate.people import Person
from grapevine.simulate.truth import Visit

Texts = Mapping[str, tuple[str, ...]]
"""Answers by how somebody came: the app where the link stood, or else the way (``Visit.way``)."""

_ENGLISH: Final[Texts] = {
    "whatsapp": (
        "My sister sent it to the family group on WhatsApp.",
        "whatsapp, from a friend",
        "A neighbour who bakes. She sends me everything you write!",
        "Dad. On WhatsApp. With eleven exclamation marks.",
    ),
    "slack": ("Somebody dropped it in our #lunch channel", "a colleague, on Slack", "work chat"),
    "telegram": ("a Telegram group about sourdough", "Telegram"),
    "discord": ("Fermentation Discord, pinned message", "discord"),
    "teams": ("A colleague posted it in Teams.",),
    "signal": ("a friend, on Signal", "friend texted me"),
    "sms": ("My brother texted me the link.", "text message from my mum"),
    "messenger": ("A cousin, in Messenger.",),
    "line": ("a friend in Osaka sent it on LINE",),
    "email": ("An old friend mailed it to me.", "forwarded by my boss, of all people", "e-mail from a friend"),
    "facebook": ("My baking group on Facebook", "facebook"),
    "x": ("somebody I follow on X",),
    "linkedin": ("LinkedIn, a chef I know",),
    "reddit": ("r/Breadit", "a comment on reddit, no idea which one any more"),
    "search": (
        "google",
        "I searched for why my jar smells of pear drops.",
        "Looked up vinegar mothers, stayed for hours.",
    ),
    "social": ("Instagram", "saw it on Hacker News", "someone posted it"),
    "assistant": ("ChatGPT told me about you", "An AI suggested it. It was right, for once."),
    "referral": ("the blogroll of baker.example", "A link on another blog"),
    "campaign": ("Your letter, issue 14", "an ad, I admit"),
    "typed": ("I have read you for years.", "your address is printed on the flour bag", "word of mouth, literally"),
    "bookmark": ("Been here since the first jar.", "bookmarked you ages ago"),
}

_OTHERS: Final[Mapping[str, Texts]] = {
    "de": {
        "whatsapp": ("Meine Schwester, per WhatsApp", "über die Familiengruppe"),
        "slack": ("Ein Kollege hat es in Slack geteilt.",),
        "email": ("Eine Freundin hat mir den Artikel gemailt.",),
        "search": ("Google", "Ich suchte nach einem Rezept für Roggensauer."),
        "bookmark": ("Ich lese euch schon lange, danke dafür!",),
        "share": ("Von Freunden empfohlen",),
    },
    "fr": {
        "whatsapp": ("Ma voisine, sur WhatsApp.", "un ami"),
        "search": ("En cherchant une recette de levain",),
        "email": ("Une collègue m’a envoyé l’article.",),
        "share": ("Par le bouche-à-oreille !",),
        "bookmark": ("Je vous lis depuis toujours.",),
    },
    "es": {
        "whatsapp": ("Me lo mandó mi madre por WhatsApp",),
        "search": ("buscando en Google",),
        "share": ("Me lo recomendó una amiga.",),
    },
    "pl": {
        "search": ("z wyszukiwarki",),
        "share": ("Polecił mi kolega z pracy.",),
    },
}
"""Those of other languages, by the first two letters; where one has no fitting text, people answer in English."""


def answer_of(random: Random, visit: Visit, who: Person) -> str:
    """Returns what the person of ``visit`` writes."""
    texts = _OTHERS.get(who.language[:2], {})
    found = texts.get(visit.place or visit.way) or texts.get(visit.way) or _ENGLISH.get(visit.place or visit.way)
    return random.choice(found or _ENGLISH["typed"])
