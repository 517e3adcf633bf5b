// Shape of whisper.cpp 0becabc8d (PR 3354), examples/stream.wasm: the thread has a string of its own.
void stream_main(size_t index, const std::string lang) {
    struct whisper_full_params wparams = whisper_full_default_params(WHISPER_SAMPLING_GREEDY);
    wparams.language = lang.c_str();
    while (g_running) {
        whisper_full(g_contexts[index], wparams);
    }
}
EMSCRIPTEN_BINDINGS(stream) {
    emscripten::function("init", emscripten::optional_override([](const std::string & path_model, const std::string & lang) {
        g_contexts[0] = whisper_init_from_file_with_params(path_model.c_str(), whisper_context_default_params());
        g_worker = std::thread([lang]() { stream_main(0, lang); });
        return 1;
    }));
}
