// Shape of whisper.cpp f309f97df, examples/whisper.wasm/emscripten.cpp: the thread before is joined, the new one is not.
EMSCRIPTEN_BINDINGS(whisper) {
    emscripten::function("full_default", emscripten::optional_override([](size_t index, const std::string & lang, int nthreads) {
        if (g_worker.joinable()) {
            g_worker.join();
        }
        struct whisper_full_params params = whisper_full_default_params(WHISPER_SAMPLING_GREEDY);
        params.language  = whisper_is_multilingual(g_contexts[index]) ? lang.c_str() : "en"; // FOUND: pointer-into-thread
        params.n_threads = std::min(nthreads, 16);
        {
            printf("lang = %s\n", params.language);
        }
        g_worker = std::thread([index, params]() { whisper_full(g_contexts[index], params); });
        return 0;
    }));
}
