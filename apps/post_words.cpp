// Word lists of the generated feed.
#include "post_words.hpp"

namespace millrace::apps {
namespace {

constexpr std::array<std::string_view, 64> kCommon = {
    "coffee",     "monday",  "music",     "football", "news",    "weather", "travel",    "food",
    "love",       "photo",   "work",      "art",      "fashion", "movies",  "gaming",    "sunrise",
    "family",     "friends", "weekend",   "fitness",  "nature",  "books",   "science",   "space",
    "history",    "garden",  "cats",      "dogs",     "running", "cycling", "hiking",    "cooking",
    "baking",     "tea",     "breakfast", "lunch",    "dinner",  "recipe",  "design",    "writing",
    "poetry",     "theatre", "dance",     "jazz",     "radio",   "podcast", "startup",   "code",
    "opensource", "linux",   "maths",     "physics",  "climate", "energy",  "trains",    "bikes",
    "summer",     "autumn",  "winter",    "spring",   "sunset",  "ocean",   "mountains", "rain"};

constexpr std::array<std::string_view, 64> kFirst = {
    "blue",   "golden", "silent", "wild",   "north",  "south",  "early",  "late",
    "first",  "last",   "open",   "hidden", "bright", "dark",   "little", "great",
    "slow",   "quick",  "old",    "new",    "red",    "green",  "silver", "copper",
    "paper",  "stone",  "glass",  "iron",   "summer", "winter", "rainy",  "sunny",
    "windy",  "snowy",  "sweet",  "salty",  "fresh",  "frozen", "warm",   "cold",
    "royal",  "local",  "global", "urban",  "rural",  "modern", "retro",  "lunar",
    "solar",  "polar",  "inner",  "outer",  "upper",  "lower",  "east",   "west",
    "double", "single", "grand",  "tiny",   "magic",  "lucky",  "brave",  "gentle"};

constexpr std::array<std::string_view, 63> kSecond = {
    "river",   "harbour", "market",   "garden",    "tower",    "bridge",  "street",   "valley",
    "island",  "forest",  "festival", "concert",   "derby",    "final",   "parade",   "launch",
    "eclipse", "storm",   "match",    "race",      "debate",   "summit",  "opening",  "premiere",
    "album",   "series",  "recipe",   "sketch",    "gallery",  "library", "museum",   "station",
    "airport", "stadium", "castle",   "palace",    "beach",    "lake",    "desert",   "canyon",
    "meadow",  "orchard", "vineyard", "bakery",    "kitchen",  "studio",  "workshop", "academy",
    "school",  "college", "theatre",  "orchestra", "choir",    "band",    "team",     "club",
    "league",  "cup",     "tour",     "trail",     "marathon", "regatta", "rally"};

constexpr std::array<std::string_view, 32> kNames = {
    "anna", "ben",   "carla", "david", "emma", "felix", "grace", "hugo",  "ines", "jonas", "kate",
    "leo",  "mia",   "noah",  "olga",  "paul", "quinn", "rosa",  "sam",   "tara", "umar",  "vera",
    "will", "xenia", "yuki",  "zoe",   "amir", "bella", "chen",  "diego", "elif", "farid"};

constexpr std::array<FeedLanguage, kLanguages> kFeedLanguages = {{
    {"en",
     0.40,
     {"just saw this on the way home", "good morning everyone", "cannot stop thinking about this",
      "what a day", "finally done with work", "anyone else watching", "so happy right now",
      "this made me smile", "third coffee and still tired", "look at this view", "breaking",
      "I was not ready for that", "new favourite thing", "reminder to drink some water",
      "best seat in the house", "you have to see this"},
     {"see you there", "what do you think?", "more tomorrow", "and the day is not over yet",
      "tell me I am wrong", "worth every minute", "who is with me?", "I need a holiday",
      "pictures soon", "no words", "please share", "thank you all", "that is all", "wow",
      "can we do that again?", "goodnight"}},
    {"es",
     0.20,
     {"buenos d\u00edas a todos", "acabo de ver esto", "qu\u00e9 noche", "por fin viernes",
      "no me lo puedo creer", "el mejor plan del mundo", "hoy toca descansar",
      "mira qu\u00e9 vista", "feliz de estar aqu\u00ed", "otra vez lo mismo", "vamos equipo",
      "\u00faltima hora", "caf\u00e9 y a trabajar", "esto es incre\u00edble",
      "qui\u00e9n lo est\u00e1 viendo", "gracias por todo"},
     {"nos vemos all\u00ed", "\u00bfqu\u00e9 opin\u00e1is?", "ma\u00f1ana m\u00e1s", "vale la pena",
      "sin palabras", "un abrazo", "a disfrutar", "qu\u00e9 ganas", "buenas noches",
      "\u00bfqui\u00e9n se apunta?", "de verdad", "hasta luego", "pronto fotos",
      "qu\u00e9 maravilla", "os leo", "sin m\u00e1s"}},
    {"ja",
     0.15,
     {"\u304a\u306f\u3088\u3046", "\u4eca\u65e5\u306f\u3044\u3044\u5929\u6c17",
      "\u3064\u304b\u308c\u305f", "\u3053\u308c\u898b\u3066", "\u6700\u9ad8\u306e\u4e00\u65e5",
      "\u3084\u3063\u3068\u7d42\u308f\u3063\u305f", "\u306d\u3080\u3044",
      "\u3059\u3054\u304b\u3063\u305f", "\u304a\u8179\u3059\u3044\u305f", "\u901f\u5831",
      "\u3046\u308c\u3057\u3044", "\u65b0\u3057\u3044\u8da3\u5473",
      "\u4eca\u304b\u3089\u51fa\u304b\u3051\u307e\u3059", "\u7df4\u7fd2\u4e2d",
      "\u96fb\u8eca\u306e\u4e2d", "\u304b\u308f\u3044\u3044"},
     {"\u307e\u305f\u660e\u65e5", "\u3069\u3046\u601d\u3046", "\u697d\u3057\u307f",
      "\u304a\u3084\u3059\u307f", "\u3042\u308a\u304c\u3068\u3046", "\u6700\u9ad8",
      "\u3044\u3044\u306d", "\u884c\u304d\u305f\u3044", "\u672c\u5f53\u306b",
      "\u305d\u308c\u3060\u3051", "\u3073\u3063\u304f\u308a", "\u3088\u308d\u3057\u304f",
      "\u307e\u305f\u306d", "\u304a\u3059\u3059\u3081", "\u4e00\u7dd2\u306b", "\u3067\u306f"}},
    {"pt",
     0.15,
     {"bom dia", "acabei de ver isto", "que noite", "finalmente em casa", "n\u00e3o acredito",
      "melhor do mundo", "que saudade", "olha essa vista", "mais um caf\u00e9", "\u00faltima hora",
      "bora", "que jogo", "dia cheio", "feliz demais", "quem est\u00e1 vendo", "obrigado a todos"},
     {"at\u00e9 j\u00e1", "o que acham?", "amanh\u00e3 tem mais", "vale a pena", "sem palavras",
      "um abra\u00e7o", "boa noite", "quem vem?", "de verdade", "at\u00e9 logo", "fotos em breve",
      "que maravilha", "s\u00f3 isso", "vamos", "de novo", "demais"}},
    {"de",
     0.10,
     {"guten Morgen zusammen", "gerade gesehen", "was f\u00fcr ein Tag", "endlich Feierabend",
      "kaum zu glauben", "beste Aussicht", "schon wieder Montag", "ganz gro\u00dfes Kino",
      "erst mal Kaffee", "Eilmeldung", "wer schaut noch", "so sch\u00f6n hier", "neu entdeckt",
      "kleine Pause", "im Zug", "los geht es"},
     {"bis gleich", "was meint ihr?", "morgen mehr", "lohnt sich", "ohne Worte", "gute Nacht",
      "wer kommt mit?", "wirklich", "bis bald", "Bilder folgen", "wunderbar", "das war es",
      "gerne teilen", "danke euch", "schon wieder", "toll"}},
}};

}  // namespace

const std::array<FeedLanguage, kLanguages>& feed_languages() { return kFeedLanguages; }

std::vector<std::string> feed_hashtags() {
  std::vector<std::string> tags(kCommon.begin(), kCommon.end());
  tags.reserve(4096);
  // Along the diagonals, so that neighbours in rank share no word.
  for (std::size_t shift = 0; shift < kSecond.size(); ++shift) {
    for (std::size_t at = 0; at < kFirst.size(); ++at) {
      tags.push_back(std::string(kFirst[at]) + std::string(kSecond[(at + shift) % kSecond.size()]));
    }
  }
  return tags;
}

std::vector<std::string> feed_users(std::size_t count) {
  std::vector<std::string> users;
  users.reserve(count);
  for (std::size_t at = 0; at < count; ++at) {
    users.push_back(std::string(kNames[at % kNames.size()]) + std::to_string(at / kNames.size()));
  }
  return users;
}

}  // namespace millrace::apps
