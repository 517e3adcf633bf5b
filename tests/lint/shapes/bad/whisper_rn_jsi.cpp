// Shape of mybigday/whisper.rn b67b45c, cpp/jsi/RNWhisperJSI.cpp: a config that points into itself is copied into a lambda.
jsi::Value transcribe(jsi::Runtime &runtime, const jsi::Object &options) {
    TranscribeConfig config = createTranscribeConfig(runtime, options);
    config.params.language = config.language.c_str(); // FOUND: pointer-into-itself
    return createPromiseTask(runtime, [config](auto &) { run(config.params); });
}
