// Words that needles are about: things of everyday life, each the beginning of no other.
#pragma once

#include <array>
#include <string_view>

namespace memside::eval {

inline constexpr std::array<std::string_view, 120> needle_keys{
    "accordion", "airport",   "avocado",  "bagpipe",   "balloon",    "battery",    "bicycle",
    "biscuit",   "blender",   "broccoli", "bulldozer", "button",     "cactus",     "calendar",
    "camera",    "candle",    "caravan",  "cartoon",   "cashew",     "ceramic",    "champagne",
    "chimney",   "chocolate", "cinema",   "clarinet",  "coconut",    "compass",    "concrete",
    "coupon",    "cricket",   "cucumber", "curtain",   "dentist",    "diesel",     "dolphin",
    "domino",    "elevator",  "envelope", "espresso",  "factory",    "fireworks",  "flamingo",
    "football",  "freezer",   "furnace",  "galaxy",    "garage",     "ginger",     "giraffe",
    "glacier",   "guitar",    "hammock",  "harbor",    "hedgehog",   "helicopter", "hockey",
    "hospital",  "hurricane", "iceberg",  "insulin",   "island",     "jacket",     "jaguar",
    "jazz",      "jigsaw",    "kangaroo", "kayak",     "ketchup",    "keyboard",   "kitchen",
    "ladder",    "lantern",   "laptop",   "laundry",   "lemonade",   "library",    "lobster",
    "magnet",    "mango",     "marathon", "marble",    "microphone", "mosquito",   "mustard",
    "newspaper", "notebook",  "octopus",  "orchestra", "oxygen",     "pancake",    "panda",
    "parachute", "passport",  "pencil",   "penguin",   "piano",      "pilot",      "pineapple",
    "pirate",    "pizza",     "planet",   "plastic",   "police",     "pumpkin",    "puzzle",
    "rabbit",    "radio",     "railway",  "rocket",    "sandwich",   "satellite",  "scooter",
    "sofa",      "submarine", "suitcase", "telescope", "tennis",     "tractor",    "umbrella",
    "violin"};

}  // namespace memside::eval
