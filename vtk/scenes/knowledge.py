"""Which places the things of ImageNet's classes stand for: the table behind ``places.scene_scores``.

Each line is a class or a range of classes of ImageNet, counted from 0 without a background, with a name of the first;
and after the colon places of Places365 with weights: of the pictures that show this thing, what share is taken there, as
we judge it, in hundredths. What is missing to 100 was taken anywhere. Nobody measured the weights, and the order of
places matters more than the numbers: classes that are places themselves get 55 to 86, things that are nearly always in
one place 30 to 75, other things less, and what can be anywhere has no line.
"""

from __future__ import annotations

TABLE = """
0 tench: river 15, pond 15, lake/natural 10
1 goldfish: aquarium 35, fishpond 30
2-4 great white shark: underwater/ocean_deep 70, ocean 10, aquarium 10
5-6 electric ray: underwater/ocean_deep 60, aquarium 25
7-8 cock: farm 30, yard 20, barn 5
9 ostrich: pasture 20, field/wild 15, desert/vegetation 10
10-20 brambling: forest/broadleaf 10, yard 8
21-23 kite: sky 30, cliff 3
24 great grey owl: forest/broadleaf 20, snowfield 5
25-29 European fire salamander: forest/broadleaf 12, creek 6
30 bullfrog: pond 30, marsh 10, swamp 10
31-32 tree frog: rainforest 20, pond 5
33 loggerhead: underwater/ocean_deep 40, beach 20, aquarium 10
34 leatherback turtle: beach 55, underwater/ocean_deep 15
35-36 mud turtle: pond 20, creek 8, swamp 6
45 Gila monster: desert/vegetation 20, desert/sand 10
49-50 African crocodile: swamp 25, river 15, marsh 10
58 water snake: river 12, pond 12
65 sea snake: underwater/ocean_deep 40, beach 10
66 horned viper: desert/sand 35
68 sidewinder: desert/sand 50
97-100 drake: pond 30, lake/natural 20, river 8
104 wallaby: field/wild 25, pasture 8
105 koala: forest/broadleaf 25
107 jellyfish: aquarium 45, underwater/ocean_deep 40
108-109 sea anemone: underwater/ocean_deep 60, aquarium 25
115 sea slug: underwater/ocean_deep 65, aquarium 8
117 chambered nautilus: aquarium 30, underwater/ocean_deep 25
118-120 Dungeness crab: beach 20, coast 8, underwater/ocean_deep 6
127-138 white stork: marsh 25, pond 10, swamp 6, field/wild 4
139-143 ruddy turnstone: beach 30, coast 15, marsh 12
144 pelican: coast 15, ocean 15, pier 10, beach 8
145 king penguin: coast 15, ice_floe 12, snowfield 12, ice_shelf 8
146 albatross: ocean 35, sky 20
147 grey whale: ocean 75
148 killer whale: ocean 60, aquarium 12
149 dugong: underwater/ocean_deep 50, aquarium 10
150 sea lion: coast 25, beach 15, pier 5
151-268 Chihuahua: yard 12, lawn 12, living_room 8, park 5
269-272 timber wolf: forest/broadleaf 15, snowfield 15, field/wild 8
275-276 African hunting dog: field/wild 30, desert/vegetation 8
281-285 tabby: living_room 15, bedroom 10
288 leopard: rainforest 8, field/wild 8
289 snow leopard: mountain_snowy 12, cliff 5
291 lion: field/wild 35
292 tiger: rainforest 8, watering_hole 6
293 cheetah: field/wild 45
294-295 brown bear: forest/broadleaf 18, river 8, field/wild 6
296 ice bear: ice_floe 25, snowfield 20, tundra 10, ice_shelf 8
299 meerkat: desert/sand 8, desert/vegetation 8
300-326 tiger beetle: field/wild 10, botanical_garden 6, forest/broadleaf 5
327-329 starfish: underwater/ocean_deep 40, beach 15, aquarium 10
330-331 wood rabbit: field/wild 18, lawn 10
335 fox squirrel: park 15, forest/broadleaf 12, yard 8
336 marmot: mountain 15, field/wild 12
337 beaver: creek 15, pond 12, river 8
339 sorrel: pasture 35, corral 15, stable 8, field/wild 5
340 zebra: field/wild 40, watering_hole 10
341 hog: farm 40, corral 6
344 hippopotamus: watering_hole 30, river 20, pond 5
345 ox: pasture 28, farm 15, field/cultivated 6
346 water buffalo: river 10, rice_paddy 10, pasture 8, pond 6
347 bison: field/wild 40, pasture 15
348 ram: pasture 40, farm 8
349-350 bighorn: mountain 25, cliff 15
351-353 hartebeest: field/wild 45, watering_hole 5
354 Arabian camel: desert/sand 45, desert/vegetation 12
355 llama: pasture 25, farm 15, mountain 5
365-382 orangutan: forest/broadleaf 12, rainforest 12
385-386 Indian elephant: field/wild 25, watering_hole 15
387-388 lesser panda: bamboo_forest 22, forest/broadleaf 8
389-391 barracouta: boat_deck 8, river 8, pier 5
392-393 rock beauty: underwater/ocean_deep 50, aquarium 40
396-397 lionfish: aquarium 45, underwater/ocean_deep 40
400 academic gown: campus 20, auditorium 15
402 acoustic guitar: music_studio 8, stage/indoor 8
403 aircraft carrier: ocean 35, landing_deck 22, harbor 20
404 airliner: airfield 35, runway 28, sky 15, airport_terminal 5
405 airship: sky 65, airfield 8
406 altar: church/indoor 75, temple/asia 4
407 ambulance: street 25, hospital 20, parking_lot 10
410 apiary: yard 15, farm 15, field/wild 12
415 bakery: bakery/shop 82, delicatessen 4, coffee_shop 3
416 balance beam: gymnasium/indoor 75
417 balloon: sky 70, field/wild 4
421 bannister: staircase 60, mezzanine 4, balcony/interior 4
422 barbell: gymnasium/indoor 65
423-424 barber chair: beauty_salon 70
425 barn: barn 75, farm 12, barndoor 3, shed 3
429 baseball: baseball_field 20, stadium/baseball 8
430 basketball: basketball_court/indoor 50, gymnasium/indoor 8
431 bassinet: nursery 45, childs_room 8, bedroom 8
433 bathing cap: swimming_pool/indoor 45, swimming_pool/outdoor 25
434 bath towel: bathroom 40
435 bathtub: bathroom 75, jacuzzi/indoor 5
436 beach wagon: parking_lot 18, street 15, driveway 10, residential_neighborhood 6
437 beacon: lighthouse 82, coast 6
438 beaker: chemistry_lab 50, biology_laboratory 8
440-441 beer bottle: bar 22, pub/indoor 12, beer_hall 5
442 bell cote: church/outdoor 50, tower 18
445 bikini: beach 30, swimming_pool/outdoor 22
449 boathouse: boathouse 75, lake/natural 8, pier 4
450 bobsled: snowfield 15, ski_slope 12
453 bookcase: library/indoor 20, living_room 15, home_office 12, bookstore 10
454 bookshop: bookstore 80, library/indoor 8
460 breakwater: coast 40, pier 12, harbor 12, beach 10, ocean 8
466 bullet train: train_station/platform 50, railroad_track 18
467 butcher shop: butchers_shop 80, market/indoor 5, delicatessen 4
468 cab: street 42, downtown 12, crosswalk 8
471 cannon: museum/outdoor 15, castle 6, park 6
472 canoe: lake/natural 30, river 30
475 car mirror: car_interior 30, street 6
476 carousel: carrousel 85, amusement_park 8
477 carpenter's kit: repair_shop 15
483 castle: castle 75, palace 5, ruin 4, moat/water 4
484 catamaran: ocean 40, harbor 15, beach 8, coast 8
486 cello: stage/indoor 15, music_studio 12, orchestra_pit 5
493 chiffonier: bedroom 40, bedchamber 5
495 china cabinet: dining_room 38, living_room 10
497 church: church/outdoor 72, village 4, church/indoor 4
498 cinema: movie_theater/indoor 60, building_facade 6, downtown 5
500 cliff dwelling: ruin 32, cliff 15, archaelogical_excavation 5, grotto 5
503 cocktail shaker: bar 35, wet_bar 12
508 computer keyboard: office 15, home_office 15, computer_room 10
509 confectionery: candy_store 82, gift_shop 4, bakery/shop 4
510 container ship: harbor 42, ocean 35
511 convertible: parking_lot 15, street 12, driveway 8, auto_showroom 5
516 cradle: nursery 32, bedroom 12, childs_room 8
517 crane: construction_site 45, harbor 12, industrial_area 8
520 crib: nursery 60, childs_room 8, bedroom 8
525 dam: dam 82, river 5
526 desk: home_office 35, office 18, bedroom 4, dorm_room 4
527 desktop computer: home_office 30, office 20, computer_room 12, office_cubicles 6
532 dining table: dining_room 52, restaurant 8, dining_hall 4, kitchen 4, banquet_hall 4
534 dishwasher: kitchen 62
536 dock: harbor 38, pier 16, lake/natural 8
537 dogsled: snowfield 50, tundra 10, forest_road 3
538 dome: mosque/outdoor 12, church/outdoor 10, palace 8, church/indoor 6, tower 5
540 drilling platform: oilrig 86, ocean 5
541 drum: stage/indoor 18, music_studio 15
544 Dutch oven: kitchen 35
546 electric guitar: stage/indoor 25, music_studio 12
547 electric locomotive: railroad_track 42, train_station/platform 35
548 entertainment center: living_room 50, television_room 20, home_theater 5
550 espresso maker: kitchen 25, coffee_shop 22
553 file: office 35, storage_room 8, archive 6, home_office 8
554 fireboat: harbor 40, river 18, ocean 8
555 fire engine: fire_station 38, street 28
556 fire screen: living_room 55
557 flagpole: plaza 8, courthouse 6, embassy 4
559 folding chair: banquet_hall 8, conference_room 4
560 football helmet: football_field 32, stadium/football 28
561 forklift: loading_dock 25, storage_room 18, assembly_line 6
562 fountain: fountain 76, plaza 8, park 3, courtyard 2
564 four-poster: bedroom 50, bedchamber 18, hotel_room 15
565 freight car: railroad_track 72, industrial_area 4
567 frying pan: kitchen 35
569 garbage truck: street 32, landfill 8, alley 4
571 gas pump: gas_station 82
573 go-kart: raceway 60
574 golf ball: golf_course 50
575 golfcart: golf_course 70
576 gondola: canal/urban 70, harbor 4
579 grand piano: living_room 18, stage/indoor 15, music_studio 12, auditorium 5
580 greenhouse: greenhouse/indoor 52, greenhouse/outdoor 25, botanical_garden 5
582 grocery store: supermarket 48, market/outdoor 12, market/indoor 12, general_store/indoor 8
595 harvester: wheat_field 45, field/cultivated 25, corn_field 4
598 home theater: home_theater 70, television_room 12, living_room 8
602 horizontal bar: gymnasium/indoor 68
603 horse cart: street 18, field_road 10, village 8, farm 6
612 jinrikisha: street 38, alley 5, bazaar/outdoor 5
617 lab coat: chemistry_lab 18, biology_laboratory 18, hospital_room 4
619 lampshade: bedroom 18, living_room 18, hotel_room 10
620 laptop: home_office 15, office 10, coffee_shop 5
621 lawn mower: lawn 50, yard 25
624 library: library/indoor 76, bookstore 6, archive 5
625 lifeboat: harbor 20, ocean 18, boat_deck 10
627 limousine: street 22, parking_lot 15, driveway 4
628 liner: harbor 38, ocean 32
632 loudspeaker: music_studio 8, living_room 6
634 lumbermill: industrial_area 28, forest/broadleaf 4
637 mailbox: yard 10, residential_neighborhood 8, street 8
640 manhole cover: street 32
642 marimba: music_studio 18, stage/indoor 15
646 maze: topiary_garden 25, formal_garden 25
648 medicine chest: bathroom 62
649 megalith: ruin 40, field/wild 18, archaelogical_excavation 5
650 microphone: stage/indoor 25, music_studio 6
651 microwave: kitchen 62
654 minibus: street 28, parking_lot 12, bus_interior 3
656 minivan: parking_lot 20, street 15, driveway 10
660 mobile home: manufactured_home 80, campsite 3
663 monastery: church/outdoor 18, temple/asia 12, courtyard 5, castle 5, palace 5
664 monitor: home_office 20, office 18, computer_room 10
665 moped: street 22, parking_lot 6
667 mortarboard: campus 20, auditorium 15
668 mosque: mosque/outdoor 86
669 mosquito net: bedroom 38, hotel_room 10
670 motor scooter: street 25, parking_lot 6
671 mountain bike: forest_path 20, mountain_path 22
672 mountain tent: campsite 76
673 mouse: home_office 15, office 12
675 moving van: street 18, parking_lot 10, loading_dock 8
682 obelisk: cemetery 15, plaza 15, park 5, tower 5
687 organ: church/indoor 65
688 oscilloscope: physics_laboratory 40
690 oxcart: field_road 20, farm 12, street 8, village 8
691 oxygen mask: hospital_room 25
694 paddlewheel: river 35
698 palace: palace 70, mansion 6, castle 5, building_facade 3
701 parachute: sky 70
702 parallel bars: gymnasium/indoor 76
703 park bench: park 55, promenade 5
704 parking meter: street 50, parking_lot 10
705 passenger car: train_station/platform 35, railroad_track 32, train_interior 8
706 patio: patio 72, restaurant_patio 4, porch 3, yard 3
707 pay-phone: phone_booth 60, street 5
712 Petri dish: biology_laboratory 42, chemistry_lab 10
713 photocopier: office 40
716 picket fence: yard 28, house 10, residential_neighborhood 8, cottage 5
717 pickup: parking_lot 18, driveway 8, street 6
718 pier: pier 76, beach 4, harbor 3, boardwalk 3
721 pillow: bedroom 42, living_room 8
722 ping-pong ball: recreation_room 40
724 pirate: ocean 25, harbor 22
727 planetarium: science_museum 32, building_facade 8
729 plate rack: kitchen 42
730 plow: field/cultivated 50
734 police van: street 35
736 pool table: recreation_room 45, bar 10, pub/indoor 8
738 pot: patio 12, greenhouse/indoor 8, balcony/exterior 6
739 potter's wheel: art_studio 50
742 printer: office 22, home_office 15
743 prison: jail_cell 66, corridor 4
746 puck: arena/hockey 62, ice_skating_rink/indoor 18
747 punching bag: gymnasium/indoor 25, martial_arts_gym 25, boxing_ring 12
750 quilt: bedroom 62
751 racer: raceway 72
757 recreational vehicle: campsite 28, parking_lot 12
760 refrigerator: kitchen 62
762 restaurant: restaurant 56, dining_hall 6, cafeteria 5, restaurant_patio 4, diner/outdoor 3
765 rocking chair: porch 22, living_room 18
766 rotisserie: kitchen 20, restaurant_kitchen 12
768 rugby ball: athletic_field/outdoor 32, soccer_field 10
771 safe: bank_vault 15
776 sax: stage/indoor 15
779 school bus: street 22, parking_lot 20, schoolhouse 4
780 schooner: ocean 45, harbor 30
781 scoreboard: stadium/baseball 28, stadium/football 15, baseball_field 8
782 screen: home_office 18, office 12
785 seat belt: car_interior 62
786 sewing machine: fabric_store 5
788 shoe shop: shoe_shop 85
790-791 shopping basket: supermarket 40, parking_lot 5
794 shower curtain: bathroom 48, shower 38
795 ski: ski_slope 48, ski_resort 14, snowfield 10, mountain_snowy 5
797 sleeping bag: campsite 18
800 slot: amusement_arcade 45
801 snorkel: underwater/ocean_deep 38
802 snowmobile: snowfield 55
803 snowplow: street 20, snowfield 15, highway 10
804 soap dispenser: bathroom 52
805 soccer ball: soccer_field 42
812 space shuttle: runway 25, sky 10, museum/indoor 8
814 speedboat: lake/natural 25, ocean 25, harbor 5
818 spotlight: stage/indoor 35
819 stage: stage/indoor 58, stage/outdoor 14, arena/performance 8, auditorium 5
820 steam locomotive: railroad_track 56, train_station/platform 18
821 steel arch bridge: bridge 82, river 5
825 stone wall: pasture 10, field/wild 6, ruin 5
827 stove: kitchen 72
829 streetcar: street 42, downtown 10, railroad_track 8
830 stretcher: hospital_room 18
831 studio couch: living_room 62
832 stupa: temple/asia 46, pagoda 40
833 submarine: ocean 38, harbor 30
839 suspension bridge: bridge 62, rope_bridge 26
842 swimming trunks: beach 32, swimming_pool/outdoor 25
843 swing: playground 70, park 5, yard 4
846 table lamp: bedroom 20, living_room 20, hotel_room 10
847 tank: army_base 22, museum/outdoor 15
851 television: television_room 28, living_room 25
853 thatch: cottage 25, village 10, cabin/outdoor 8
854 theater curtain: stage/indoor 36, movie_theater/indoor 25, auditorium 15
856 thresher: wheat_field 40, field/cultivated 18, farm 10
857 throne: throne_room 60
858 tile roof: village 15, house 12, residential_neighborhood 10
859 toaster: kitchen 45
860 tobacco shop: shopfront 25, general_store/indoor 18, drugstore 5
861 toilet seat: bathroom 86
863 totem pole: park 10, museum/outdoor 10, forest/broadleaf 5
864 tow truck: street 22, highway 14, parking_lot 10
865 toyshop: toyshop 82, gift_shop 8
866 tractor: field/cultivated 45, farm 22
867 trailer truck: highway 42, parking_lot 14, loading_dock 5
871 trimaran: ocean 60, harbor 8
873 triumphal arch: arch 80, plaza 4
874 trolleybus: street 50, downtown 10
877 turnstile: subway_station/platform 25, ticket_booth 8
881 upright: living_room 26, music_studio 12
884 vault: church/indoor 36, bank_vault 8, arcade 5, catacomb 4
887 vestment: church/indoor 50
888 viaduct: viaduct 76, aqueduct 12, bridge 5
890 volleyball: volleyball_court/outdoor 35, gymnasium/indoor 14
891 waffle iron: kitchen 38
894 wardrobe: closet 32, bedroom 30, dressing_room 6
895 warplane: airfield 32, runway 20, sky 20, hangar/outdoor 5
896 washbasin: bathroom 82
897 washer: laundromat 40, utility_room 40
900 water tower: water_tower 86
904-905 window screen: living_room 14, bedroom 14
908 wing: sky 45, airplane_cabin 14
909 wok: kitchen 42
912 worm fence: pasture 22, field/wild 15, farm 10
913 wreck: beach 20, ocean 16, underwater/ocean_deep 10, coast 8
914 yawl: ocean 48, harbor 22, lake/natural 6
915 yurt: field/wild 18, village 10, campsite 10
919 street sign: street 30
920 traffic light: street 42, crosswalk 12, downtown 10
922-923 menu: restaurant 22
924-927 guacamole: restaurant 10, kitchen 8
928-929 ice cream: ice_cream_parlor 30
930-932 French loaf: bakery/shop 18, kitchen 5
933-934 cheeseburger: fastfood_restaurant 32, diner/outdoor 3
936-945 head cabbage: vegetable_garden 12, market/outdoor 10, kitchen 8
948-957 Granny Smith: orchard 12, market/outdoor 10, kitchen 5
958 hay: hayfield 72, farm 5, field/cultivated 5
963 pizza: pizzeria 48, restaurant 8
966 red wine: restaurant 12, bar 10
967 espresso: coffee_shop 42
970 alp: mountain_snowy 46, mountain 30, valley 4, glacier 2
972 cliff: cliff 72, coast 7, canyon 6, rock_arch 2
973 coral reef: underwater/ocean_deep 86
974 geyser: hot_spring 66, volcano 2
975 lakeside: lake/natural 66, pond 5, mountain 3, river 4
976 promontory: coast 40, cliff 34, ocean 5, islet 3
977 sandbar: beach 36, coast 14, ocean 12, islet 5, lagoon 5
978 seashore: beach 42, coast 34, ocean 10
979 valley: valley 66, mountain 12, canyon 3
980 volcano: volcano 85, mountain 4
981 ballplayer: baseball_field 55, stadium/baseball 35
982 groom: church/indoor 15, park 6, ballroom 5
983 scuba diver: underwater/ocean_deep 86
984 rapeseed: field/cultivated 72, field/wild 10
985 daisy: field/wild 22, botanical_garden 14, yard 6
986 yellow lady's slipper: forest/broadleaf 28, botanical_garden 14
987 corn: corn_field 38, market/outdoor 4
988 acorn: forest/broadleaf 22
991-997 coral fungus: forest/broadleaf 46, forest_path 8
998 ear: corn_field 28
999 toilet tissue: bathroom 42
"""
