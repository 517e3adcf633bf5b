// Shape of whisper.cpp v1.7.4 (77e0c86ab^), examples/whisper.wasm/emscripten.cpp; PR 3000 is the fix.
int full_default(size_t index, const emscripten::val & audio, const std::string & lang, int nthreads, bool translate) {
    struct whisper_full_params params = whisper_full_default_params(whisper_sampling_strategy::WHISPER_SAMPLING_GREEDY);
    params.language         = whisper_is_multilingual(g_contexts[index]) ? lang.c_str() : "en"; // FOUND: pointer-into-thread
    params.n_threads        = std::min(nthreads, std::min(16, mpow2(std::thread::hardware_concurrency())));
    std::vector<float> pcmf32;
    pcmf32.resize(audio["length"].as<int>());
    emscripten::val view = audio["constructor"].new_(memory, reinterpret_cast<uintptr_t>(pcmf32.data()), pcmf32.size());
    {
        g_worker = std::thread([index, params, pcmf32 = std::move(pcmf32)]() {
            whisper_reset_timings(g_contexts[index]);
            whisper_full(g_contexts[index], params, pcmf32.data(), pcmf32.size());
        });
    }
    return 0;
}
