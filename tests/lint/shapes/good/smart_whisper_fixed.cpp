// Shape of JacobLinCool/smart-whisper a520e6d: the worker owns its strings; params point into them while it runs.
class TranscribeWorker : public Napi::AsyncWorker {
  public:
    TranscribeWorker(Napi::Env env, whisper_full_params params, std::string language)
        : Napi::AsyncWorker(env), params(params), language(std::move(language)) {}
    void Execute() override {
        params.language = language.c_str();
        whisper_full(context, params);
    }
  private:
    whisper_full_params params;
    std::string language;
};
Napi::Value Transcribe(const Napi::CallbackInfo &info) {
    std::string language = info[0].As<Napi::String>();
    auto *worker = new TranscribeWorker(info.Env(), whisper_full_default_params(WHISPER_SAMPLING_GREEDY), language.c_str());
    worker->Queue();
    return worker->Promise();
}
