// Shape of nodejs/node-addon-api issue 596: the string that Utf8Value makes ends with the statement.
void open(const Napi::CallbackInfo &info) {
    const char *path = info[0].As<Napi::String>().Utf8Value().c_str(); // FOUND: pointer-to-temporary
    params_t params;
    params.model = (std::string("models/") + path).c_str(); // FOUND: pointer-to-temporary
    use(path, params);
}
