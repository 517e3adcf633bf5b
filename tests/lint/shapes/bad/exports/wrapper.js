// A wrapper as sherpa-onnx's wasm/kws/sherpa-onnx-kws.js.
class Stream {
  constructor(handle, Module) {
    this.handle = handle;
    this.Module = Module;
  }
  free() {
    this.Module._DestroyStream(this.handle); // FOUND: function-not-exported
  }
}
function create(Module, config) {
  // Module._MyPrint(config.ptr);
  const handle = Module._CreateSpotter(config.ptr);
  Module._free(config.ptr);
  Module["_CopyHeap"](1, 2);
  return handle;
}
const spot = Module.cwrap("SpotAgain", "number", []); // FOUND: function-not-exported
