// What whisper knows, and lists of other things.
const CODES = ["en", "fr", "de", "es", "it", "ja", "ko", "ru", "german", "yue", "haw", "auto", ""];
const PAIRS = [["en", "English"], ["fr", "French"], ["iw", "Hebrew"]];
const FEW = ["en", "fr", "iw"];
const LOCALES = ["en-US", "en-GB", "fr-FR", "fr-CA", "de-DE", "de-AT", "es-ES", "es-MX", "iw-IL"];
const SIZES = { tiny: 75, base: 142, small: 466, medium: 1500, large: 2900, turbo: 1500, xl: 1, xxl: 2 };
const more = ["en", "fr", "de", "es", "it", "ja", "ko", ...others, `${x}`, "ru"];
