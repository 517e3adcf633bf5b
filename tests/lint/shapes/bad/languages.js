// Languages for whisper, in the shapes that scripts have them in.
export const CODES = ["en", "fr", "de", "es", "it", "ja", "ko",
  "zh-CN", // FOUND: language-unknown
  "ru"];
const CHOICES = [
  { code: "", name: "Find out" }, { code: "en", name: "English" }, { code: "fr", name: "French" }, { code: "de", name: "German" },
  { code: "es", name: "Spanish" }, { code: "it", name: "Italian" }, { code: "ja", name: "Japanese" }, { code: "ko", name: "Korean" },
  { code: "nb", name: "Norwegian" }, // FOUND: language-unknown
];
const NAMES = { en: "English", fr: "French", de: "German", es: "Spanish", it: "Italian", ja: "Japanese", ko: "Korean",
  "EN": "English", // FOUND: language-unknown
};
const BY_NAME = { English: "en", French: "fr", German: "de", Spanish: "es", Italian: "it", Japanese: "ja", Korean: "ko", Dutch: "nl",
  Javanese: "jv", // FOUND: language-unknown
};
