"""What is written in a picture as evidence of where it was filmed: names of labels, and words of signs."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from vtk.scenes.meaning import Meaning

# Words and phrases of signs, and places of Places365 where they hang; these are our judgement and were measured on
# nothing. Letters are small and without accents, what is not a letter or digit is a space.
SIGNS = """
accident and emergency|emergency room: hospital, hospital_room
aisle: supermarket
all day breakfast: diner/outdoor, coffee_shop, cafeteria
altar|mass times|parish: church/indoor, church/outdoor
apotheke|chemist|farmacia|pharmacie|prescriptions|rx: pharmacy, drugstore
arrivals|baggage claim|boarding|check in|departures|duty free|gates|passport control: airport_terminal
atm|bank: bank_vault
backerei|boulangerie|panaderia|panetteria: bakery/shop
bahnhof|gleis|train station|railway station: train_station/platform
barber|hairdresser|nails|salon|hair salon: beauty_salon
beer|cocktails|happy hour|on tap: bar, pub/indoor, beer_hall
bestsellers|fiction|librairie|libreria|books: bookstore
biergarten: beer_garden
boucherie|butcher|metzgerei|carniceria: butchers_shop
bowling: bowling_alley
box office|now showing|screening|cinema|kino|movies: movie_theater/indoor
bread|pastries|cakes: bakery/shop
burger|burgers|drive thru|fries|fried chicken: fastfood_restaurant
bus stop|bus station: bus_station/indoor, street
cafe|caffe|cappuccino|coffee|espresso|latte: coffee_shop
car wash|diesel|fuel|petrol|unleaded|tankstelle: gas_station
car park|garage|parking|parkhaus|pay and display: parking_garage/indoor, parking_garage/outdoor, parking_lot
casino|slots|jackpot: amusement_arcade
checkout|groceries|grocery|supermarkt|supermarche: supermarket
clearance|fitting room|fitting rooms|menswear|womenswear: clothing_store, department_store
computer lab|homework|lecture|professor: classroom, lecture_room
concert|live on stage|tonight live: stage/indoor, stage/outdoor, music_studio
confectionery|sweets|candy: candy_store
dentist|doctor|patients|waiting room: waiting_room, hospital_room
detour|exit only|interstate|merge|motorway|next exit|speed limit|toll: highway
do not enter|give way|no parking|one way|stop|taxi|yield: street, crosswalk
docks|ferry|marina|port: harbor, pier
elevator|lift: elevator_lobby, elevator/door
employees only|hard hat|hard hat area|under construction: construction_site, industrial_area
feuerwehr|fire department|fire dept|fire engine: fire_station
fish market|fresh fish: market/indoor, market/outdoor
flowers|fleurs|florist: florist_shop/indoor
front desk|hotel|no vacancy|reception|room service|vacancy: hotel/outdoor, lobby, reception, hotel_room
gelato|gelateria|ice cream|glaces|eis: ice_cream_parlor
gift shop|souvenirs|gifts: gift_shop
goal|kick off|half time|full time|fifa|uefa: stadium/soccer, soccer_field
golf|tee: golf_course
gym|fitness|crossfit|workout: gymnasium/indoor
hardware|lumber|paint|tools: hardware_store
hospital|icu|radiology|surgery|ward: hospital, hospital_room
inning|mlb|strike: stadium/baseball, baseball_field
jewellers|jewellery|jewelry|joyeria: jewelry_shop
kindergarten|nursery|preschool: kindergarden_classroom, nursery
kiss and ride|mind the gap|metro|platform|subway|u bahn|underground: subway_station/platform, train_station/platform
laundry|laundrette|washing machines|waschsalon: laundromat
library|bibliothek|bibliotheque|biblioteca: library/indoor, library/outdoor
lifeguard|no diving|swimming pool|pool rules: swimming_pool/outdoor, swimming_pool/indoor
menu|ristorante|restaurante|specials|steakhouse|trattoria: restaurant
mosque|masjid: mosque/outdoor
museum|exhibit|exhibition: museum/indoor, museum/outdoor
nba|shot clock: basketball_court/indoor
nfl|touchdown: stadium/football, football_field
optician|shoes|sneakers: shoe_shop
pizza|pizzas: pizzeria
playground|children at play: playground
police|court|judge: courthouse
pub|tavern|ale|ales: pub/indoor, bar
ski lift|ski pass|ski rental|slopes: ski_resort, ski_slope
sushi|sashimi: sushi_bar
synagogue|shul: synagogue/outdoor
theatre|theater|opera: auditorium, stage/indoor
tickets|ticket office: ticket_booth
toys: toyshop
trail|trailhead|hiking: forest_path, mountain_path
veterinary|vet|animal clinic: veterinarians_office
zoo|safari: corral, park
"""
# Names of Places365 that stand on much that is no sign of the place.
_NO_SIGNS = frozenset("""
arch alcove bar beach berth canyon castle cliff closet coast creek downtown field galley house lawn lobby market
mountain ocean office palace pantry park patio pond porch raft reception river roof_garden sandbox shed shower sky
street tower valley village wave yard
""".split())
# The most that words may say: so much of the probability is theirs where they are read with certainty.
SURE = 0.9


class Wording:
    """Finds labels by what is written.

    Args:
        labels: names; of ``garage/indoor`` and ``coffee_shop`` the words are ``garage`` and ``coffee shop``.
        meaning: of the same labels, asked where no word is known; None: unknown words say nothing.
    """

    def __init__(self, labels: Sequence[str], meaning: Meaning | None = None) -> None:
        self._count, self._meaning = len(labels), meaning
        named: dict[str, list[int]] = defaultdict(list)
        whole: dict[str, list[int]] = defaultdict(list)
        for column, label in enumerate(labels):
            base = label.split("/")[0].split(" (")[0]
            named[_plain(base)].append(column)
            whole[_plain(label)].append(column)
        self._phrases = {phrase: columns for phrase, columns in named.items()
                         if len(phrase) > 2 and phrase.replace(" ", "_") not in _NO_SIGNS}
        for phrase, places in _signs():
            columns = [column for place in places for column in whole.get(_plain(place), ())]
            if columns:
                self._phrases[phrase] = columns
        self._longest = max((phrase.count(" ") + 1 for phrase in self._phrases), default=0)

    def probabilities(self, texts: Iterable[tuple[str, float]]) -> np.ndarray | None:
        """Return (C,) probabilities of the labels by what is written alone; None where no word says anything.

        Args:
            texts: what is written, with scores in [0, 1].
        """
        texts = list(texts)
        told: dict[str, float] = {}
        for text, score in texts:
            for phrase in self._found(_plain(text)):
                told[phrase] = max(told.get(phrase, 0.0), score)
        if not any(told.values()):
            return self._by_meaning(texts)
        shares = np.zeros(self._count)
        for phrase, score in told.items():
            np.add.at(shares, self._phrases[phrase], score / len(self._phrases[phrase]))
        return self._certain(shares, max(told.values()))

    def _by_meaning(self, texts: Sequence[tuple[str, float]]) -> np.ndarray | None:
        """Return what ``probabilities`` does, by what texts resemble; None where they resemble nothing."""
        read = [(text, score) for text, score in texts if score > 0]
        if self._meaning is None or not read:
            return None
        found = self._meaning.shares([text for text, _ in read])
        told = [(score, row) for (_, score), row in zip(read, found, strict=True) if row is not None]
        if not told:
            return None
        return self._certain(sum(score * row for score, row in told), max(score for score, _ in told))

    def _certain(self, shares: np.ndarray, score: float) -> np.ndarray:
        """Return probabilities (C,) by shares of any sum, as sure as text of this score is."""
        sure = SURE * score
        return sure * shares / shares.sum() + (1 - sure) / self._count

    def fused(self, scores: np.ndarray, texts: Iterable[tuple[str, float]], weight: float) -> np.ndarray:
        """Return log-probabilities (C,) of pictures and text: log p(picture) + weight * log p(text), renormalised.

        Args:
            scores: (C,) log-probabilities by pictures; returned as they are where no word says anything.
            texts: what is written, with scores in [0, 1].
            weight: of the text, 0 or more.
        """
        found = self.probabilities(texts) if weight else None
        if found is None:
            return scores
        both = scores + weight * np.log(found)
        return both - np.logaddexp.reduce(both)

    def _found(self, text: str) -> list[str]:
        """Return the phrases in a text, each word used once, the longest phrase first."""
        words, out = text.split(), []
        joined = "".join(words)
        for size in range(min(self._longest, len(words)), 0, -1):
            for start in range(len(words) - size + 1):
                phrase = " ".join(words[start : start + size])
                if phrase in self._phrases:
                    out.append(phrase)
                    words[start : start + size] = [""] * size  # "" is in no phrase
        if not out and len(words) > 1 and joined in self._phrases:  # letters set wide apart are read as words
            out.append(joined)
        return out


def _plain(text: str) -> str:
    """Return the words of a text in small letters without their accents, which signs and readers of signs leave out."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return " ".join(re.findall(r"[^\W_]+", "".join(each for each in letters if not unicodedata.combining(each))))


def _signs() -> Iterable[tuple[str, list[str]]]:
    for line in SIGNS.strip().splitlines():
        phrases, places = line.split(": ")
        for phrase in phrases.split("|"):
            yield phrase, places.split(", ")
