"""What the places of Places365 belong to: indoors or outdoors, and two levels of kinds of place above them.

The kinds are those of the SUN and Places data bases: three at the top, sixteen below. Which kind a place is of was
decided for this table by what its name means, one kind for each; the makers' own sheet lets some have several. Whether
a place is indoors is the makers' word, ``IO_places365.txt`` of github.com/CSAILVision/places365 (MIT licence): it
differs from the kinds in few places, ``ODD``, such as ``balcony/interior``, which it calls outdoors.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from vtk.models.places365_labels import PLACES

INDOOR, NATURAL, MADE = "indoor", "outdoor, natural", "outdoor, man-made"
TOP = (INDOOR, NATURAL, MADE)
_MEMBERS: dict[tuple[str, str], str] = {
    (INDOOR, "shopping and dining"): """
        auto_showroom bakery/shop banquet_hall bar bazaar/indoor beauty_salon beer_hall bookstore booth/indoor
        butchers_shop cafeteria candy_store clothing_store coffee_shop delicatessen department_store dining_hall
        drugstore fabric_store fastfood_restaurant flea_market/indoor florist_shop/indoor food_court
        general_store/indoor gift_shop hardware_store ice_cream_parlor jewelry_shop laundromat market/indoor pet_shop
        pharmacy pizzeria pub/indoor restaurant restaurant_kitchen shoe_shop shopping_mall/indoor supermarket sushi_bar
        ticket_booth toyshop""",
    (INDOOR, "workplace"): """
        art_studio assembly_line auto_factory bank_vault biology_laboratory chemistry_lab clean_room computer_room
        conference_center conference_room hospital_room jail_cell legislative_chamber music_studio nursing_home office
        office_cubicles operating_room physics_laboratory reception repair_shop server_room storage_room
        television_studio veterinarians_office waiting_room""",
    (INDOOR, "home or hotel"): """
        alcove artists_loft attic balcony/interior basement bathroom bedchamber bedroom bow_window/indoor childs_room
        closet corridor dining_room dorm_room dressing_room entrance_hall home_office home_theater hotel_room
        jacuzzi/indoor kitchen living_room lobby mezzanine nursery pantry playroom recreation_room sauna shower
        staircase television_room utility_room wet_bar youth_hostel""",
    (INDOOR, "transport"): """
        airplane_cabin airport_terminal berth bus_interior bus_station/indoor car_interior cockpit elevator/door
        elevator_lobby elevator_shaft engine_room escalator/indoor galley garage/indoor hangar/indoor
        parking_garage/indoor subway_station/platform train_interior train_station/platform""",
    (INDOOR, "sports and leisure"): """
        amusement_arcade arena/hockey arena/rodeo ball_pit ballroom basketball_court/indoor bowling_alley boxing_ring
        discotheque gymnasium/indoor ice_skating_rink/indoor locker_room martial_arts_gym swimming_pool/indoor""",
    (INDOOR, "culture"): """
        aquarium archive arena/performance art_gallery art_school atrium/public auditorium burial_chamber catacomb
        church/indoor classroom kindergarden_classroom lecture_room library/indoor movie_theater/indoor museum/indoor
        natural_history_museum orchestra_pit science_museum stage/indoor throne_room""",
    (NATURAL, "water, ice, snow"): """
        beach canal/natural coast creek crevasse fishpond glacier hot_spring ice_floe ice_shelf iceberg islet lagoon
        lake/natural marsh ocean pond river snowfield swamp swimming_hole underwater/ocean_deep waterfall watering_hole
        wave""",
    (NATURAL, "mountains, hills, desert, sky"): """
        badlands butte canyon cliff desert/sand desert/vegetation grotto mountain mountain_path mountain_snowy rock_arch
        sky valley volcano""",
    (NATURAL, "forest, field, jungle"): """
        bamboo_forest field/wild forest/broadleaf forest_path rainforest tundra""",
    (NATURAL, "nature with traces of people"): """
        campsite corn_field desert_road field/cultivated field_road forest_road hayfield orchard pasture rice_paddy
        ski_slope tree_farm trench vegetable_garden vineyard wheat_field""",
    (MADE, "transport"): """
        airfield alley boat_deck bridge canal/urban crosswalk driveway garage/outdoor gas_station hangar/outdoor harbor
        heliport highway landing_deck loading_dock lock_chamber parking_garage/outdoor parking_lot phone_booth pier raft
        railroad_track rope_bridge runway street viaduct""",
    (MADE, "culture and history"): """
        amphitheater aqueduct arch archaelogical_excavation campus castle cemetery church/outdoor courthouse embassy
        kasbah library/outdoor lighthouse mausoleum medina moat/water mosque/outdoor museum/outdoor oast_house pagoda
        palace plaza ruin schoolhouse stage/outdoor synagogue/outdoor temple/asia tower windmill""",
    (MADE, "sports, parks, leisure"): """
        amusement_park athletic_field/outdoor baseball_field boardwalk boathouse botanical_garden bullring carrousel
        football_field formal_garden fountain gazebo/exterior golf_course ice_skating_rink/outdoor japanese_garden park
        pavilion picnic_area playground promenade racecourse raceway sandbox ski_resort soccer_field stadium/baseball
        stadium/football stadium/soccer swimming_pool/outdoor topiary_garden volleyball_court/outdoor water_park
        zen_garden""",
    (MADE, "industry and construction"): """
        army_base construction_site dam excavation industrial_area junkyard landfill oilrig water_tower wind_farm""",
    (MADE, "houses, gardens, farms"): """
        apartment_building/outdoor balcony/exterior barn barndoor beach_house cabin/outdoor chalet corral cottage
        courtyard doorway/outdoor farm greenhouse/indoor greenhouse/outdoor house hunting_lodge/outdoor igloo
        kennel/outdoor lawn mansion manufactured_home patio porch residential_neighborhood roof_garden shed slum stable
        tree_house village yard""",
    (MADE, "shops, offices, towns"): """
        arcade bazaar/outdoor beer_garden building_facade diner/outdoor downtown fire_escape fire_station
        general_store/outdoor hospital hotel/outdoor inn/outdoor market/outdoor motel office_building restaurant_patio
        shopfront skyscraper""",
}
# Where the makers' list says the other of indoors and outdoors.
ODD = frozenset("""
    arcade archaelogical_excavation balcony/interior bus_station/indoor greenhouse/indoor stable swimming_hole
""".split())

PATHS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {place: path for path, members in _MEMBERS.items() for place in members.split()})


def path_of(place: str) -> tuple[str, str, str]:
    """Return a place with what it belongs to, from the top: (``indoor``, ``home or hotel``, ``kitchen``).

    Raises:
        ValueError: it is none of the 365.
    """
    if place not in PATHS:
        raise ValueError(f"place: got '{place}', expected one of the 365 names of Places365, such as 'kitchen'")
    return (*PATHS[place], place)


def is_indoor(place: str) -> bool:
    """Return whether a place is indoors, as the makers of Places365 have it.

    Raises:
        ValueError: it is none of the 365.
    """
    return (path_of(place)[0] == INDOOR) != (place in ODD)


def indoor() -> tuple[bool, ...]:
    """Return for each of the 365 places, in order, whether it is indoors."""
    return tuple(is_indoor(place) for place in PLACES)
