// Shape of JacobLinCool/smart-whisper d49608c, src/binding/transcribe.cc:55: params with a dead string go to an AsyncWorker.
Napi::Value Transcribe(const Napi::CallbackInfo &info) {
    Napi::Object o = info[2].As<Napi::Object>();
    whisper_full_params params = whisper_full_default_params(WHISPER_SAMPLING_GREEDY);
    if (o.Has("initial_prompt")) {
        std::string prompt = o.Get("initial_prompt").As<Napi::String>();
        params.initial_prompt = prompt.c_str(); // FOUND: pointer-into-worker
    }
    TranscribeWorker *worker = new TranscribeWorker(info, params);
    worker->Queue();
    return worker->Deferred().Promise();
}
