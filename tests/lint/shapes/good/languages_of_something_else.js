// A site in many languages.
const CODES = ["en", "fr", "de", "es", "it", "ja", "ko", "iw", "ru"];
