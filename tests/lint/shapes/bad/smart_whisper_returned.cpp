// Shape of JacobLinCool/smart-whisper d49608c, src/binding/transcribe.cc:51: a string in an if, the params returned.
whisper_full_params TranscribeParams(Napi::Object o) {
    whisper_full_params params = whisper_full_default_params(WHISPER_SAMPLING_GREEDY);
    if (o.Has("n_threads")) {
        params.n_threads = o.Get("n_threads").As<Napi::Number>();
    }
    if (o.Has("language")) {
        std::string language = o.Get("language").As<Napi::String>();
        params.language = language.c_str(); // FOUND: pointer-returned
    }
    return params;
}
