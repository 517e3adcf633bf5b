// Owning variants: what is assigned to a string, or made a string of, is a copy. sherpa-onnx's members are strings.
struct Config {
    std::string language;
    std::vector<std::string> names;
};
void member(const std::string &lang) {
    Config config;
    config.language = lang.c_str();
    g_worker = std::thread([config] { run(config); });
}
std::string returned() {
    std::string text = ask();
    return text.c_str();
}
void outer(bool given) {
    std::string language = "en";
    if (given) {
        std::string text = ask();
        language = text.c_str();
        language += text.data();
    }
    run(language);
}
void task(const std::string &lang) {
    g_pool.enqueue([lang = std::string(lang.c_str())] { run(lang.c_str()); });
    g_pool.post(lang.c_str());
}
void Context::configure(std::string language, Config &given) {
    config_.language = language.c_str();
    given.language = language.c_str();
}
void expose(py::module_ &m) {
    py::class_<Config>(m, "Config").def_readwrite("language", &Config::language).def_readwrite("other", &Unknown::language);
}
struct Outer {
    const Field *field;
};
void expose_a_pointer(py::module_ &m) {
    py::class_<Outer>(m, "Outer").def_readwrite("field", &Outer::field);
}
