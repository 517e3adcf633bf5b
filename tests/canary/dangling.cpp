// A binding with the bug of whisper.wasm before v1.7.6: the language is a text of JavaScript that embind keeps for one call alone,
// and the pointer to it is read later, in another thread.

#include <emscripten/bind.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

struct full_params {
    const char * language;
    int n_threads;
};

static std::thread g_worker;

static void full(const full_params & params) {
    std::this_thread::sleep_for(std::chrono::milliseconds(200)); // as long as the spectrum takes
    fprintf(stderr, "lang_id: unknown language '%s'\n", params.language);
}

EMSCRIPTEN_BINDINGS(speech) {
    emscripten::function("init", emscripten::optional_override([](const std::string & path_model) -> size_t {
        return path_model.empty() ? 0 : 1;
    }));

    emscripten::function("full_default", emscripten::optional_override([](size_t, const emscripten::val &, const std::string & lang,
                                                                          int n_threads, bool) -> int {
        if (g_worker.joinable()) {
            g_worker.join();
        }
        full_params params;
        params.language = lang.c_str();
        params.n_threads = n_threads;
        g_worker = std::thread([params]() {
            full(params);
        });
        return 0;
    }));
}
