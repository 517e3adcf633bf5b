// Shape of mybigday/whisper.rn's fix: the pointers are set after the copy, in the task.
struct TranscribeConfig {
    whisper_full_params params;
    std::string language;
    void bindStringParams() { params.language = language.c_str(); }
};
jsi::Value transcribe(jsi::Runtime &runtime, const jsi::Object &options) {
    auto config = createTranscribeConfig(runtime, options);
    return createPromiseTask(runtime, [config = std::move(config)](auto &) mutable {
        config.bindStringParams();
        run(config.params);
    });
}
