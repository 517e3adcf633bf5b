// Shape of whisper.cpp be16dfa03, bindings/javascript/emscripten.cpp: full_default starts a thread, params captured by value.
EMSCRIPTEN_BINDINGS(whisper) {
    emscripten::function("full_default", emscripten::optional_override([](size_t index, const emscripten::val & audio, const std::string & lang, bool translate) {
        --index;
        if (index >= g_contexts.size()) {
            return -1;
        }
        struct whisper_full_params params = whisper_full_default_params(whisper_sampling_strategy::WHISPER_SAMPLING_GREEDY);
        params.translate = translate;
        params.language  = whisper_is_multilingual(g_contexts[index]) ? lang.c_str() : "en"; // FOUND: pointer-into-thread
        std::vector<float> pcmf32;
        // run the worker
        {
            g_worker = std::thread([index, params, pcmf32 = std::move(pcmf32)]() {
                whisper_full(g_contexts[index], params, pcmf32.data(), pcmf32.size());
            });
        }
        return 0;
    }));
}
