// A function that the build exports by itself.
extern "C" EMSCRIPTEN_KEEPALIVE int kept(void) { return 0; }
