// Shape of whisper.cpp's 491ecd705 moved into a thread: no condition, a value parameter, [=].
void full_default(size_t index, std::string lang) {
    whisper_full_params params = whisper_full_default_params(WHISPER_SAMPLING_GREEDY);
    params.language = lang.c_str(); // FOUND: pointer-into-thread
    g_worker = std::thread([=]() {
        whisper_full(g_contexts[index], params);
    });
}
