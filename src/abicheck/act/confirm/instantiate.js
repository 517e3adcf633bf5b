// Compiles a module, instantiates it with stand-ins for all that it imports, and hands shared memory to a thread, as its own script
// would. `node instantiate.js MODULE REQUEST` prints what came of it; in a page it fetches both and posts that. REQUEST is JSON:
// `imports` as the module lists them, and whether its memory is `shared`. What comes of it: the `stage` that failed, and its `text`.
"use strict";

const EMPTY = { i32: 0, i64: 0n, f32: 0, f64: 0 };
const empty = (type) => (type in EMPTY ? EMPTY[type] : null);
const named = (type) => (type === "funcref" ? "anyfunc" : type);

function sized({ initial, maximum, shared, address64 }) {
  const number = address64 ? BigInt : Number;
  const size = { initial: number(initial), shared };
  if (maximum !== null) size.maximum = number(maximum);
  if (address64) size.address = "i64";
  return size;
}

const MAKE = {
  function: ({ types }) => () => (types.length > 1 ? types.map(empty) : empty(types[0])),
  memory: ({ limits }) => new WebAssembly.Memory(sized(limits)),
  table: ({ types, limits }) => new WebAssembly.Table({ element: named(types[0]), ...sized(limits) }),
  global: ({ types, mutable }) => new WebAssembly.Global({ value: named(types[0]), mutable }, empty(types[0])),
  tag: ({ types }) => new WebAssembly.Tag({ parameters: types.map(named) }),
};

function standIns(imports) {
  const made = Object.create(null);
  for (const each of imports) {
    made[each.module] = made[each.module] || Object.create(null);
    made[each.module][each.name] = MAKE[each.kind](each);
  }
  return made;
}

function sharedMemory(...groups) {
  const values = groups.flatMap((group) => Object.values(group));
  const memories = values.filter((each) => each instanceof WebAssembly.Memory);
  const found = memories.find((each) => String(each.buffer) === "[object SharedArrayBuffer]");
  return found || new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
}

async function attempt(bytes, { imports, shared }, compile, thread) {
  let stage = "compile";
  let exports = {};
  let started = null;
  try {
    const module = await compile(bytes);
    stage = "imports";
    const given = standIns(imports);
    stage = "instantiate";
    try {
      ({ exports } = await WebAssembly.instantiate(module, given));
    } catch (error) {
      // The engine's own words begin so. Any others are those of the module's start function, which stand-ins do not serve well.
      if (/^WebAssembly\.\w+\(\)/.test(error.message)) throw error;
      started = String(error);
    }
    stage = "thread";
    if (shared) await thread(sharedMemory(...Object.values(given), exports));
    return started === null ? { stage: null, text: null } : { stage: "start", text: started };
  } catch (error) {
    return { stage, text: `${error.name}: ${error.message}` };
  }
}

function threadOfNode(memory) {
  const { Worker } = require("worker_threads");
  return new Promise((resolve, reject) => {
    const worker = new Worker('require("worker_threads").parentPort.once("message", () => {})', { eval: true });
    worker.once("exit", resolve).once("error", reject).once("messageerror", reject);
    worker.postMessage(memory);
  });
}

function threadOfPage(memory) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(URL.createObjectURL(new Blob(["onmessage = () => postMessage(null)"])));
    worker.onmessage = resolve;
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(memory);
  });
}

async function inNode(module, request) {
  const { readFileSync, writeSync } = require("fs");
  const told = await attempt(
    readFileSync(module),
    JSON.parse(readFileSync(request, "utf8")),
    (bytes) => new WebAssembly.Module(bytes), // whose words `check` predicts
    threadOfNode,
  );
  writeSync(1, JSON.stringify(told));
  process.exit(0); // not when the engine has optimized all of it
}

async function inPage() {
  const [module, request] = await Promise.all(["module", "request"].map((name) => fetch(name)));
  const told = await attempt(await module.arrayBuffer(), await request.json(), WebAssembly.compile, threadOfPage);
  await fetch("told", { method: "POST", body: JSON.stringify(told) });
}

if (typeof process === "object") inNode(process.argv[2], process.argv[3]);
else inPage();
