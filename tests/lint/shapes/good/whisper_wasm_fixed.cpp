// Shape of whisper.cpp 77e0c86ab (PR 3000): strdup for multilingual models, free at the end of the thread.
EMSCRIPTEN_BINDINGS(whisper) {
    emscripten::function("full_default", emscripten::optional_override([](size_t index, const std::string & lang) {
        struct whisper_full_params params = whisper_full_default_params(WHISPER_SAMPLING_GREEDY);
        bool is_multilingual = whisper_is_multilingual(g_contexts[index]);
        params.language = is_multilingual ? strdup(lang.c_str()) : "en";
        g_worker = std::thread([index, params, is_multilingual]() {
            whisper_full(g_contexts[index], params);
            if (is_multilingual) {
                free((void *) params.language);
            }
        });
        return 0;
    }));
}
