// Transcribes silence with a binding of whisper.cpp in a language that is unknown: `node canary.js GLUE LANGUAGE [SECONDS]`.
// whisper.cpp names the language that it does not know, and the model needs no weights for that. Whoever waits for the name ends the
// process when it comes; what kept it from coming is the last line.
"use strict";

const path = require("path");
const { pathToFileURL } = require("url");
const [glue, language] = [path.resolve(process.argv[2]), process.argv[3]];
const PATIENCE = 1000 * (process.argv[4] || 20);

// As whisper.cpp's own models/for-tests-ggml-tiny.bin: its parameters (51,865 tokens make it multilingual), filters, and no words.
const MODEL = new Int32Array(1 + 11 + 2 + 80 * 201 + 1);
MODEL.set([0x67676d6c, 51865, 1500, 384, 6, 4, 448, 384, 6, 4, 80, 1, 80, 201]);
const SILENCE = new Float32Array(3 * 16000);
// By how many arguments full_default takes: whisper.cpp's own package, its example for pages, and one that loads the model itself.
const CALLS = {
  3: () => [SILENCE, language, false],
  5: (instance) => [instance, SILENCE, language, 2, false],
  6: () => ["canary.bin", SILENCE, "canary", language, 2, false],
};

const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function end(reason) {
  require("fs").writeSync(1, `\ncanary: ${reason}\n`);
  process.exit(0);
}

async function load() {
  let loaded;
  try {
    loaded = require(glue);
  } catch (error) {
    if (!["ERR_REQUIRE_ESM", "ERR_REQUIRE_ASYNC_MODULE"].includes(error.code)) throw error;
    loaded = await import(pathToFileURL(glue));
  }
  loaded = loaded.default || loaded;
  return typeof loaded === "function" ? Promise.race([loaded({}), wait(PATIENCE)]) : loaded;
}

async function main() {
  const module = (await load()) || {};
  for (let waited = 0; typeof module.full_default !== "function" && waited < PATIENCE; waited += 50) await wait(50);
  if (typeof module.full_default !== "function") end("it has no full_default");
  const call = CALLS[module.full_default.length];
  if (call === undefined) end(`its full_default takes ${module.full_default.length} arguments`);
  module.FS_createDataFile("/", "canary.bin", new Uint8Array(MODEL.buffer), true, true);
  const instance = module.init ? module.init("canary.bin") : 0;
  if (module.init && !instance) end("it does not take the model");
  module.full_default(...call(instance));
  await wait(PATIENCE);
  end("it names no language");
}

main().catch((error) => end(`${error.name}: ${error.message}`.split("\n")[0]));
