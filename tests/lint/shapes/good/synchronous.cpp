// Shape of whisper.cpp 491ecd705 and of today's bindings/javascript: the call ends before the string does.
int full_default(size_t index, const std::string & lang) {
    whisper_full_params params = whisper_full_default_params(WHISPER_SAMPLING_GREEDY);
    params.language = whisper_is_multilingual(g_context) ? lang.c_str() : "en";
    printf("%s\n", params.language);
    return whisper_full(g_context, params);
}
void joined(std::string lang) {
    params_t params;
    params.language = lang.c_str();
    std::thread worker([params] { run(params); });
    worker.join();
}
void waited(std::string lang) {
    const char *language = lang.c_str();
    auto future = std::async(std::launch::async, [language] { run(language); });
}
void each(const std::vector<std::string> &names) {
    for (const std::string &name : names) {
        const char *text = name.c_str();
        run(text);
    }
}
